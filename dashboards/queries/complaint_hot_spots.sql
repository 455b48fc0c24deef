-- Townships with many complaints of one type on one day: most often an outage.
select
  dim_date.date as day,
  city.name_zh as city_zh,
  city.name_en as city_en,
  coalesce(town.name_zh, spot.township_code) as township_zh,
  coalesce(town.name_en, spot.township_code) as township_en,
  spot.complaint_type_code as code,
  spot.city_code,
  spot.township_code,
  spot.complaints
from kpi_complaint_hot_spot as spot
inner join dim_date on spot.date_key = dim_date.date_key
inner join dim_branch as city on spot.city_code = city.city_code and city.kind <> 'county'
left join dim_township as town on spot.township_code = town.township_code
where
  spot.date_key between $first and $last
  and ($city is null or spot.city_code = $city)
  and ($type is null or starts_with(spot.complaint_type_code || '.', $type || '.'))
order by spot.complaints desc, day desc, township_zh
limit 12

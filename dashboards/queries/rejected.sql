-- Rows that imports refused, by source and reason, within the period or without a readable day.
select source, kind, reason, count(*) as rows_refused
from fct_import_reject
where
  (date_key between $first and $last or date_key = 0)
  and ($city is null or city_code = $city)
group by source, kind, reason
order by rows_refused desc

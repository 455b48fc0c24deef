-- The segments with the customers that each holds now.
select
  segment.segment,
  segment.name_zh,
  segment.name_en,
  segment.differs_zh,
  segment.differs_en,
  segment.action_zh,
  segment.action_en,
  segment.jaccard,
  segment.verdict,
  count(score.customer_key) as customers
from dim_segment as segment
left join fct_customer_score as score
  on score.model = 'segment' and cast(score.label as integer) = segment.segment and ($city is null or score.city_code = $city)
where segment.verdict <> 'not shown'
group by all
order by segment.segment

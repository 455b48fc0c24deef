-- Each customer once a model, by one version, probabilities and places within their bounds, reasons given.
select
  model,
  count(*) - count(distinct customer_key) as scored_twice,
  count(distinct version) as versions,
  count(*) filter (where percentile not between 0 and 99) as beyond_percentiles,
  count(*) filter (where (model = 'churn' or model like 'offer%') and not coalesce(score between 0 and 1, false)) as no_probability
from marts.fct_customer_score
group by model
order by model

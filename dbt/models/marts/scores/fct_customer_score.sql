select
  score.customer_id as customer_key,
  score.model,
  customer.city_code,
  score.score,
  cast(score.percentile as tinyint) as percentile,
  score.label,
  score.version,
  score.as_of,
  score.reasons
from {{ model_rows('customer_scores', {
  'customer_id': 'bigint', 'model': 'varchar', 'score': 'double', 'percentile': 'bigint', 'label': 'varchar',
  'version': 'varchar', 'as_of': 'date', 'reasons': 'varchar',
}) }} as score
inner join {{ ref('dim_customer') }} as customer on score.customer_id = customer.customer_key

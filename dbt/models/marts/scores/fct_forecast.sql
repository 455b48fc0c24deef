select
  coalesce(queue.queue_key, 0) as queue_key,
  coalesce(queue.code, 'unknown') as queue_code,
  {{ date_key('forecast.day') }} as date_key,
  cast(forecast.half_hour_key as tinyint) as half_hour_key,
  forecast.expected,
  forecast.q10,
  forecast.q50,
  forecast.q80,
  forecast.q90,
  forecast.version,
  forecast.as_of
from {{ model_rows('forecast', {
  'queue_key': 'bigint', 'day': 'date', 'half_hour_key': 'bigint', 'expected': 'double', 'q10': 'double',
  'q50': 'double', 'q80': 'double', 'q90': 'double', 'version': 'varchar', 'as_of': 'date',
}) }} as forecast
left join {{ ref('dim_queue') }} as queue on forecast.queue_key = queue.queue_key

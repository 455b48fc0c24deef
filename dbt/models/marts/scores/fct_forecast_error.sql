select queue_key, days_ahead, half_hours, calls, wape, baseline_wape, mase, coverage_80, version, as_of
from {{ model_rows('forecast_errors', {
  'queue_key': 'bigint', 'days_ahead': 'varchar', 'half_hours': 'bigint', 'calls': 'double', 'wape': 'double',
  'baseline_wape': 'double', 'mase': 'double', 'coverage_80': 'double', 'version': 'varchar', 'as_of': 'date',
}) }}

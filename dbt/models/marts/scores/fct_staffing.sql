select
  {{ date_key('day') }} as date_key,
  cast(half_hour_key as tinyint) as half_hour_key,
  calls_expected,
  calls_staffed_for,
  handle_seconds,
  patience_seconds,
  agents_needed,
  positions_needed,
  agents_rostered,
  roster_gap,
  service_level_needed,
  service_level_rostered,
  outbound_agent_seconds,
  as_of
from {{ model_rows('staffing', {
  'day': 'date', 'half_hour_key': 'bigint', 'calls_expected': 'double', 'calls_staffed_for': 'double',
  'handle_seconds': 'double', 'patience_seconds': 'double', 'agents_needed': 'bigint', 'positions_needed': 'bigint',
  'agents_rostered': 'double', 'roster_gap': 'double', 'service_level_needed': 'double',
  'service_level_rostered': 'double', 'outbound_agent_seconds': 'double', 'as_of': 'date',
}) }}

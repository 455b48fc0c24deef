select
  table_name,
  'province' as city_code,
  rows_found,
  last_at as latest_event_at,
  {{ last_snapshot() }} as loaded_at,
  -- Later than the load that brought it: a clock is wrong.
  coalesce(last_at > {{ last_snapshot() }} + interval 1 day, false) as is_ahead
from {{ ref('int_shared__tables_spanned') }}
where table_name <> 'import_rejects'

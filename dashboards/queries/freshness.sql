-- Each table of events: rows, its latest event, and when the newest load looked at the store.
select table_name as table, rows_found, latest_event_at, loaded_at, is_ahead
from dq_freshness
order by table_name

{{ config(materialized='changing', key='calendar_window_key', lake_table='calendar_windows') }}
select
  id as calendar_window_key,
  calendar_code,
  weekday,
  opens_second,
  closes_second
from {{ current_rows('calendar_windows') }}
where deleted_at is null

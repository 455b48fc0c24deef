{{ config(materialized='changing', key='calendar_day_key', lake_table='calendar_days') }}
select
  id as calendar_day_key,
  calendar_code,
  day,
  day_kind,
  follows_weekday,
  holiday_zh,
  holiday_en
from {{ current_rows('calendar_days') }}
where deleted_at is null

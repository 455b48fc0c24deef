select
  calendar_code,
  day,
  day_kind,
  follows_weekday,
  holiday_zh,
  holiday_en
from {{ current_rows('calendar_days') }}
where deleted_at is null

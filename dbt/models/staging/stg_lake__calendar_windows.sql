select
  calendar_code,
  weekday,
  opens_second,
  closes_second
from {{ current_rows('calendar_windows') }}
where deleted_at is null

select
  code as channel_code,
  name_zh,
  name_en,
  is_written,
  sort_order
from {{ current_rows('channels', key='code') }}
where deleted_at is null

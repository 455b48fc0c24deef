select
  code as offer_code,
  name_zh,
  name_en,
  product_code,
  margin_fen
from {{ current_rows('offers', key='code') }}
where deleted_at is null

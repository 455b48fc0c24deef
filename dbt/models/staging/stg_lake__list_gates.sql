select
  id as list_gate_key,
  campaign_id as campaign_key,
  version,
  gate,
  position,
  customers
from {{ current_rows('list_gates') }}
where deleted_at is null

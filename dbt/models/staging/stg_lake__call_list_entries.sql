select
  id as entry_key,
  campaign_id as campaign_key,
  customer_id as customer_key,
  unit_id as branch_key,
  offer_code,
  arm,
  state,
  version,
  rank,
  planned_on,
  score,
  value_fen,
  listed_at,
  attempts,
  outcome,
  stop_reason,
  ended_at
from {{ current_rows('call_list_entries') }}
where deleted_at is null

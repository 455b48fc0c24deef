select
  id as attempt_key,
  entry_id as entry_key,
  campaign_id as campaign_key,
  customer_id as customer_key,
  "at" as called_at,
  outcome,
  talk_seconds
from {{ current_rows('call_attempts') }}
where deleted_at is null

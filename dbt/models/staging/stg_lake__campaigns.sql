select
  id as campaign_key,
  code as campaign_code,
  name,
  purpose,
  goal,
  state,
  version,
  starts_on,
  ends_on,
  holdout_percent,
  window_days,
  cost_per_call_fen,
  approved_at
from {{ current_rows('campaigns') }}
where deleted_at is null

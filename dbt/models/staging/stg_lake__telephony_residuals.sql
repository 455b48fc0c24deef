select
  id as residual_key,
  day,
  calls_in_log,
  calls_differing,
  visits_in_log,
  visits_missing,
  visits_extra,
  visits_unknown,
  visits_wrong,
  wait_seconds_differing,
  talk_seconds_differing,
  reconciled_at
from {{ current_rows('telephony_residuals') }}
where deleted_at is null

select
  residual_key,
  {{ date_key('day') }} as date_key,
  'province' as city_code,
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
from {{ ref('stg_lake__telephony_residuals') }}

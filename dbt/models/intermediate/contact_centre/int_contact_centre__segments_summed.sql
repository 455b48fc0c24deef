select
  visit_key,
  {{ seconds_of_kind('talk') }} as talk_seconds,
  {{ seconds_of_kind('hold') }} as hold_seconds,
  {{ seconds_of_kind('wrap_up') }} as wrap_up_seconds
from {{ ref('stg_lake__call_segments') }}
where visit_key is not null and ended_at is not null and kind in ('talk', 'hold', 'wrap_up')
{{ only_affected('visit_key', 'affected_visits', 'and') }}
group by visit_key

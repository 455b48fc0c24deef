{{ config(materialized='changing', key='agent_state_id', affected='affected_agent_states') }}
-- An interval that crosses local midnight is cut there; nearly none does, so the others pass through as they are.
with

states as not materialized (select * from {{ ref('int_contact_centre__states_resolved') }}),

-- Read twice rather than held in memory whole.
placed as not materialized (
  select
    state.*,
    (epoch_us(state.started_at) + {{ local_offset_us() }}) // 86400000000 as first_day,
    -- The end is exclusive: midnight itself belongs to the day before.
    (epoch_us(state.ended_at) + {{ local_offset_us() }} - 1) // 86400000000 as last_day
  from states as state
  where state.ended_at > state.started_at
),

pieces as (
  select *, cast(0 as bigint) as piece from placed where first_day = last_day
  union all
  select * replace (
      greatest(started_at, {{ instant_of_local_us('(first_day + piece) * 86400000000') }}) as started_at,
      least(ended_at, {{ instant_of_local_us('(first_day + piece + 1) * 86400000000') }}) as ended_at
    )
  from (
    select *, unnest(range(last_day - first_day + 1)) as piece from placed where first_day < last_day
  ) as crossing
)

select
  -- A piece's number within its interval keeps the key unique.
  piece.agent_state_id * 10000 + piece.piece as agent_state_key,
  piece.agent_state_id,
  coalesce(agent.agent_key, -1) as agent_key,
  {{ member('piece.seat_key', 'seat.seat_key') }} as seat_key,
  piece.state,
  piece.pause_reason,
  coalesce(piece.pause_paid, false) as pause_paid,
  {{ local_date_key('piece.started_at') }} as date_key,
  piece.started_at,
  piece.ended_at,
  {{ seconds_between('piece.started_at', 'piece.ended_at') }} as seconds,
  coalesce(piece.call_key, 0) as call_key,
  coalesce(case when piece.seat_key is null then agent.branch_key else seat.branch_key end, -1) as branch_key,
  coalesce(case when piece.seat_key is null then agent.city_code else seat.city_code end, 'unknown') as city_code,
  piece.source
from pieces as piece
left join {{ ref('dim_agent') }} as agent on piece.agent_key = agent.agent_key
left join {{ ref('dim_seat') }} as seat on piece.seat_key = seat.seat_key

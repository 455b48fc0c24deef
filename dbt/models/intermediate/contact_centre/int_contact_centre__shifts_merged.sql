-- A shift counts as far as the newest load saw it. Where shifts of one agent overlap, the one that began first holds.
with

begun as (
  select
    shift_key,
    agent_key,
    seat_key,
    epoch_us(starts_at) as start_us,
    epoch_us(least(ends_at, {{ last_snapshot() }})) as end_us
  from {{ ref('stg_lake__shifts') }}
  where starts_at < {{ last_snapshot() }}
),

reached as (
  select
    *,
    max(end_us) over (
      partition by agent_key
      order by start_us, shift_key
      rows between unbounded preceding and 1 preceding
    ) as reached_us
  from begun
)

select
  agent_key,
  seat_key,
  greatest(start_us, coalesce(reached_us, start_us)) as start_us,
  end_us
from reached
where end_us > coalesce(reached_us, start_us)

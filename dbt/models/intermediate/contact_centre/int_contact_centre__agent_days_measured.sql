{{ config(materialized='changing', key='date_key', affected='affected_state_days') }}
-- States are cut at midnight, so a day's windows see every overlap; small partitions keep the sort in memory.
with

ordered as (
  select
    agent_key,
    date_key,
    source,
    epoch_us(started_at) as started_us,
    epoch_us(ended_at) as ended_us,
    max(epoch_us(ended_at)) over (
      partition by agent_key, date_key, source
      order by started_at
      rows between unbounded preceding and 1 preceding
    ) as reached_us
  from {{ ref('fct_agent_state') }}
  -- Agents who have not arrived yet share one key: nothing can be said of one of them.
  where agent_key > 0 {{ only_affected('date_key', 'affected_state_days', 'and') }}
)

select
  agent_key,
  date_key,
  source,
  count(*) as states,
  count(*) filter (where started_us < reached_us) as overlap_count,
  sum(ended_us - started_us) / 1000000.0 as state_seconds,
  -- The length of the intervals' union: what lies beyond everything before it.
  sum(greatest(ended_us - greatest(started_us, coalesce(reached_us, started_us)), 0)) / 1000000.0 as logged_in_seconds
from ordered
group by agent_key, date_key, source

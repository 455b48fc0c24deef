{{ config(materialized='changing', key='date_key', affected='affected_state_days') }}
-- States are cut at midnight, so a day's windows see every overlap; small partitions keep the sort in memory.
with

states as (
  select agent_key, date_key, source, epoch_us(started_at) as started_us, epoch_us(ended_at) as ended_us
  from {{ ref('fct_agent_state') }}
  -- Agents who have not arrived yet share one key: nothing can be said of one of them.
  where agent_key > 0 {{ only_affected('date_key', 'affected_state_days', 'and') }}
),

ordered as (
  select *, lag(ended_us) over (partition by agent_key, date_key, source order by started_us) as before_us from states
),

summed as (
  select
    agent_key,
    date_key,
    source,
    count(*) as states,
    -- If none begins before the one before it ended, none overlaps another.
    coalesce(bool_or(started_us < before_us), false) as is_overlapping,
    sum(ended_us - started_us) / 1000000.0 as state_seconds
  from ordered
  group by agent_key, date_key, source
),

reached as (
  select
    *,
    max(ended_us) over (
      partition by agent_key, date_key, source
      order by started_us
      rows between unbounded preceding and 1 preceding
    ) as reached_us
  from states
  where (agent_key, date_key, source) in (select (agent_key, date_key, source) from summed where is_overlapping)
),

overlapping as (
  select
    agent_key,
    date_key,
    source,
    count(*) filter (where started_us < reached_us) as overlap_count,
    -- The length of the intervals' union: what lies beyond everything before it.
    sum(greatest(ended_us - greatest(started_us, coalesce(reached_us, started_us)), 0)) / 1000000.0 as logged_in_seconds
  from reached
  group by agent_key, date_key, source
)

select
  summed.agent_key,
  summed.date_key,
  summed.source,
  summed.states,
  coalesce(overlapping.overlap_count, 0) as overlap_count,
  summed.state_seconds,
  coalesce(overlapping.logged_in_seconds, summed.state_seconds) as logged_in_seconds
from summed
left join overlapping
  on
    summed.agent_key = overlapping.agent_key
    and summed.date_key = overlapping.date_key
    and summed.source = overlapping.source

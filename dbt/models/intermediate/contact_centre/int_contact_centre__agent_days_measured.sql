{{ config(materialized='changing', key='date_key', affected='affected_state_days') }}
-- States are cut at midnight, so a day's windows see every overlap; small partitions keep the sort in memory.
with

sources as (
  select source, row_number() over (order by source) as source_number
  from (select distinct source from {{ ref('fct_agent_state') }}) as named
),

states as not materialized (
  select
    -- One number an agent, day and source: a sort by three columns, one of them text, costs several times as much.
    (state.agent_key * 100000000 + state.date_key) * 1000 + source.source_number as agent_day,
    state.agent_key,
    state.date_key,
    state.source,
    epoch_us(state.started_at) as started_us,
    epoch_us(state.ended_at) as ended_us
  from {{ ref('fct_agent_state') }} as state
  inner join sources as source on state.source = source.source
  -- Agents who have not arrived yet share one key: nothing can be said of one of them.
  where state.agent_key > 0 {{ only_affected('state.date_key', 'affected_state_days', 'and') }}
),

ordered as (
  select agent_day, started_us, ended_us, lag(ended_us) over (partition by agent_day order by started_us) as before_us
  from states
),

summed as (
  select
    agent_day,
    count(*) as states,
    -- If none begins before the one before it ended, none overlaps another.
    coalesce(bool_or(started_us < before_us), false) as is_overlapping,
    sum(ended_us - started_us) / 1000000.0 as state_seconds
  from ordered
  group by agent_day
),

reached as (
  select
    *,
    max(ended_us) over (
      partition by agent_day
      order by started_us
      rows between unbounded preceding and 1 preceding
    ) as reached_us
  from states
  where agent_day in (select agent_day from summed where is_overlapping)
),

overlapping as (
  select
    agent_day,
    count(*) filter (where started_us < reached_us) as overlap_count,
    -- The length of the intervals' union: what lies beyond everything before it.
    sum(greatest(ended_us - greatest(started_us, coalesce(reached_us, started_us)), 0)) / 1000000.0 as logged_in_seconds
  from reached
  group by agent_day
)

select
  summed.agent_day // 100000000000 as agent_key,
  cast(summed.agent_day // 1000 % 100000000 as integer) as date_key,
  source.source,
  summed.states,
  coalesce(overlapping.overlap_count, 0) as overlap_count,
  summed.state_seconds,
  coalesce(overlapping.logged_in_seconds, summed.state_seconds) as logged_in_seconds
from summed
inner join sources as source on summed.agent_day % 1000 = source.source_number
left join overlapping on summed.agent_day = overlapping.agent_day

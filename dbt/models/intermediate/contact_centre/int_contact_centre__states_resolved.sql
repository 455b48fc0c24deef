-- What this system captures holds one state at a time (tested). Recorded history may overlap: there the state that
-- ranks first holds (talk > hold > wrap-up > alerting > pause > available), so that time is never counted twice.
-- Read anew where it is asked for: held in memory it would be the largest table there is, twice.
with

states as not materialized (
  select
    * replace (
      -- A state still open lasts until the load that saw it.
      coalesce(ended_at, case when source = 'captured' then {{ last_snapshot() }} else started_at end) as ended_at
    )
  from {{ ref('stg_lake__agent_states') }}
  {{ only_affected('agent_state_id', 'affected_agent_states') }}
),

foreign_states as not materialized (select * from states where source <> 'captured' and ended_at > started_at),

cuts as (
  select agent_key, source, started_at as cut from foreign_states
  union
  select agent_key, source, ended_at from foreign_states
),

stretches as (
  select agent_key, source, cut as started_at, lead(cut) over (partition by agent_key, source order by cut) as ended_at
  from cuts
),

resolved as (
  select
    state.* replace (stretch.started_at as started_at, stretch.ended_at as ended_at)
  from stretches as stretch
  inner join foreign_states as state
    on
      state.agent_key = stretch.agent_key
      and state.source = stretch.source
      and state.started_at <= stretch.started_at
      and state.ended_at >= stretch.ended_at
  qualify row_number() over (
    partition by stretch.agent_key, stretch.source, stretch.started_at
    order by
      case state.state
        when 'talk' then 1 when 'hold' then 2 when 'wrap_up' then 3 when 'alerting' then 4 when 'pause' then 5 else 6
      end,
      state.agent_state_id
  ) = 1
)

select * from states where source = 'captured'
union all
select * from resolved

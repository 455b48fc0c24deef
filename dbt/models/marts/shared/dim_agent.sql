select
  agent.agent_key,
  agent.agent_code as code,
  coalesce(branch.branch_key, -1) as branch_key,
  coalesce(branch.city_code, 'unknown') as city_code,
  agent.hired_on,
  agent.left_on
from {{ ref('stg_lake__agents') }} as agent
left join {{ ref('dim_branch') }} as branch on branch.branch_key = coalesce(agent.branch_key, 0)

union all

select 0, 'none', 0, 'unknown', null, null

union all

select -1, 'not_arrived', -1, 'unknown', null, null

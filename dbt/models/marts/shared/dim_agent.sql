select
  agent.agent_key,
  agent.agent_code as code,
  branch.branch_key,
  branch.city_code,
  agent.hired_on,
  agent.left_on
from {{ ref('stg_lake__agents') }} as agent
inner join {{ ref('dim_branch') }} as branch on branch.branch_key = coalesce(agent.branch_key, 0)

union all

select 0, 'none', 0, 'unknown', null, null

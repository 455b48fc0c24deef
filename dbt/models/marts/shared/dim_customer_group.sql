select
  customer_group.customer_group_key,
  customer_group.code,
  customer_group.name as title,
  coalesce(branch.branch_key, 0) as branch_key,
  coalesce(branch.city_code, 'unknown') as city_code,
  customer_group.is_active,
  {{ local_date('customer_group.created_at') }} as created_date
from {{ ref('stg_lake__customer_groups') }} as customer_group
left join {{ ref('dim_branch') }} as branch on customer_group.branch_key = branch.branch_key

union all

select 0, 'none', '—', 0, 'unknown', false, null

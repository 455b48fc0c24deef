-- A foreign centre's own types hang below ours, to any depth: top_code is ours.
with recursive

types as (select * from {{ ref('stg_lake__service_types') }}),

tree as (
  select service_type_code, service_type_code as top_code from types where parent_code is null
  union all
  select child.service_type_code, tree.top_code
  from types as child
  inner join tree on child.parent_code = tree.service_type_code
)

select
  types.service_type_code,
  tree.top_code,
  types.parent_code,
  types.name_zh,
  types.name_en,
  types.sort_order
from types
inner join tree on types.service_type_code = tree.service_type_code

union all

select 'unknown', 'unknown', null, '未知', 'Unknown', 999

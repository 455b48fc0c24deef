with

types as (select * from {{ ref('stg_lake__complaint_types') }}),

paths as (
  select
    leaf.*,
    case leaf.level when 1 then leaf.complaint_type_code when 2 then leaf.parent_code else parent.parent_code end as level1_code,
    case leaf.level when 2 then leaf.complaint_type_code when 3 then leaf.parent_code end as level2_code,
    case leaf.level when 3 then leaf.complaint_type_code end as level3_code
  from types as leaf
  left join types as parent on leaf.parent_code = parent.complaint_type_code
)

select
  paths.complaint_type_code,
  paths.level,
  paths.level1_code,
  first_level.name_zh as level1_name_zh,
  first_level.name_en as level1_name_en,
  paths.level2_code,
  second_level.name_zh as level2_name_zh,
  second_level.name_en as level2_name_en,
  paths.level3_code,
  case when paths.level = 3 then paths.name_zh end as level3_name_zh,
  case when paths.level = 3 then paths.name_en end as level3_name_en,
  first_level.sort_order * 10000
  + case when paths.level >= 2 then second_level.sort_order else 0 end * 100
  + case when paths.level = 3 then paths.sort_order else 0 end as sort_order
from paths
inner join types as first_level on paths.level1_code = first_level.complaint_type_code
left join types as second_level on paths.level2_code = second_level.complaint_type_code

union all

select 'unknown', 1, 'unknown', '未分类', 'Unclassified', null, null, null, null, null, null, 999999

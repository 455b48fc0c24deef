with

units as (select * from {{ ref('stg_lake__org_units') }})

select
  unit.branch_key,
  unit.branch_code as code,
  unit.kind,
  unit.name_zh,
  unit.name_en,
  city.branch_key as city_key,
  city.branch_code as city_code,
  city.name_zh as city_name_zh,
  city.name_en as city_name_en,
  case when unit.kind = 'county' then unit.branch_code end as county_code,
  unit.area_code,
  coalesce(city.sort_order, 0) * 1000 + case when unit.kind = 'county' then unit.sort_order else 0 end as sort_order
from units as unit
-- The province is its own "city": its seats and staff belong to no branch.
inner join units as city on city.branch_key = case when unit.kind = 'county' then unit.parent_key else unit.branch_key end

union all

select 0, 'unknown', 'unknown', '未知', 'Unknown', 0, 'unknown', '未知', 'Unknown', null, null, 999999

union all

select -1, 'not_arrived', 'unknown', '尚未到达', 'Not yet arrived', 0, 'unknown', '未知', 'Unknown', null, null, 999999

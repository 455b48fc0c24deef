-- The tree of complaint types, one row a type; `name_*` is its own.
select
  complaint_type_code as code,
  level,
  level1_code,
  level2_code,
  coalesce(level3_name_zh, level2_name_zh, level1_name_zh) as name_zh,
  coalesce(level3_name_en, level2_name_en, level1_name_en) as name_en,
  sort_order
from dim_complaint_type
order by sort_order

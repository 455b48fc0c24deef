-- Each service type with the top one that it hangs below.
select
  each_type.service_type_code as code,
  top.service_type_code as top_code,
  top.name_zh,
  top.name_en,
  top.sort_order
from dim_service_type as each_type
inner join dim_service_type as top on each_type.top_code = top.service_type_code

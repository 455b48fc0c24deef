-- Cities, and the members that a figure may stand under without being a city's (province, unknown).
select code as city_code, kind, name_zh, name_en, sort_order
from dim_branch
where kind <> 'county' and branch_key >= 0
order by sort_order

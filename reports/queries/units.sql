-- Units with their names: cities (and the members that are none) by city code, counties by their own code.
select code, kind, city_code, name_zh, name_en, sort_order
from dim_branch
order by sort_order, code

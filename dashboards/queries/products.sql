select product_code as code, name_zh, name_en
from dim_product
order by sort_order

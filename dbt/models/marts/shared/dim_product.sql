select product_code, name_zh, name_en, sort_order
from {{ ref('stg_lake__products') }}

union all

select 'unknown', '未知', 'Unknown', 999

select channel_code, name_zh, name_en, is_written, sort_order
from {{ ref('stg_lake__channels') }}

union all

select 'unknown', '未知', 'Unknown', false, 999

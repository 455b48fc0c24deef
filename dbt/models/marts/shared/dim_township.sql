select township_code, name_zh, name_en
from {{ ref('stg_lake__townships') }}

union all

select 'unknown', '未知', 'Unknown'

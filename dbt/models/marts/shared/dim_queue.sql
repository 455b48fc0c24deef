select queue_key, queue_code as code, name_zh, name_en, is_priority, target_seconds
from {{ ref('stg_lake__queues') }}

union all

-- 0: no queue (a contact that never joined one), not an unknown queue.
select 0, 'none', '未排队', 'No queue', false, {{ service_level_seconds() }}

union all

-- -1: a queue that a fact names and no load has brought yet; likewise in the other dimensions.
select -1, 'not_arrived', '尚未到达', 'Not yet arrived', false, {{ service_level_seconds() }}

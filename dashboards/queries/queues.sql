-- The queues of the centre; what never queued (0) and what has not arrived (-1) are none.
select code, name_zh, name_en, target_seconds
from dim_queue
where queue_key > 0
order by is_priority desc, code

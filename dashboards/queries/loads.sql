-- Each table of the store: rows as the newest load saw it (removed ones included), rows delivered to the lake, loads.
select
  table_name as table,
  arg_max(store_rows, snapshot_at) as store_rows,
  sum(ledger_rows) as lake_rows,
  count(distinct load_id) as loads,
  max(completed_at) as completed_at
from dq_load
group by table_name
having sum(ledger_rows) > 0
order by table_name

-- One row a load and lake table that its ledger entry counts: rows promised and rows found in the files.
select
  ledger.load_id,
  ledger.table_name,
  ledger.row_count as ledger_rows,
  coalesce(found.row_count, 0) as file_rows,
  coalesce(found.row_count, 0) - ledger.row_count as difference
from batch_ledger as ledger
left join batch_files as found on ledger.load_id = found.load_id and ledger.table_name = found.table_name
order by ledger.load_id, ledger.table_name

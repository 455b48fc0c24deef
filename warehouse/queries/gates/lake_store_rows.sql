-- One row a table that the newest load counted in the store: rows there and rows that the lake knows.
select
  table_name,
  store_rows,
  lake_rows,
  lake_rows - store_rows as difference
from batch_counts
order by table_name

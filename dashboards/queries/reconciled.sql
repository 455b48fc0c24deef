-- Rows of the period in staging, marts and figures by table, and on how many days they differ.
select
  table_name as table,
  sum(staging_rows) as staging_rows,
  sum(mart_rows) as mart_rows,
  sum(figure_rows) as figure_rows,
  sum(staging_amount) as staging_amount,
  sum(mart_amount) as mart_amount,
  count(*) as days,
  count(*) filter (where staging_rows <> mart_rows or mart_rows <> figure_rows) as days_differing
from dq_reconciliation
where date_key between $first and $last
group by table_name
order by table_name

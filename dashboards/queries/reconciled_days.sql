-- Rows in marts by day and table.
select dim_date.date as day, found.table_name as table, found.staging_rows, found.mart_rows, found.figure_rows
from dq_reconciliation as found
inner join dim_date on found.date_key = dim_date.date_key
where found.date_key between $first and $last
order by day, found.table_name

-- One row a column of the marts; persons' columns do not belong there (an agent's name is a colleague's).
select table_name, column_name
from duckdb_columns()
where database_name = 'built' and schema_name = 'marts' and not (table_name = 'dim_agent' and column_name = 'name')
order by 1, 2

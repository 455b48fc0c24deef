-- One row a column of the marts; persons' columns do not belong there, colleagues' names included.
select table_name, column_name
from duckdb_columns()
where database_name = 'built' and schema_name = 'marts'
order by 1, 2

-- The last day that the marts hold figures of.
select max(dim_date.date) as last_day
from kpi_day
inner join dim_date on kpi_day.date_key = dim_date.date_key
where kpi_day.date_key <> 0

-- The days that the marts hold figures of.
select dim_date.date as day
from kpi_day
inner join dim_date on kpi_day.date_key = dim_date.date_key
where kpi_day.date_key <> 0
group by dim_date.date
order by dim_date.date

-- What the complaint page counts by day is what the KPI complaints counts.
with

by_type as (select date_key, sum(complaints) as complaints from {{ ref('kpi_complaint_day') }} group by date_key),

figures as (select date_key, sum(complaints) as complaints from {{ ref('kpi_day') }} group by date_key)

select coalesce(by_type.date_key, figures.date_key) as date_key, by_type.complaints, figures.complaints as figures
from by_type
full join figures on by_type.date_key = figures.date_key
where coalesce(by_type.complaints, 0) <> coalesce(figures.complaints, 0)

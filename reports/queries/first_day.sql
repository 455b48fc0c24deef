-- The first day of which the figures know a contact; NULL: there is none.
select min(date_key) as first_day from kpi_day where contacts > 0

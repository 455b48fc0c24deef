-- The days of which the figures know a contact.
select distinct date_key from kpi_day where contacts > 0 order by date_key

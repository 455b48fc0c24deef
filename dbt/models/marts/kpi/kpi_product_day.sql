{{ config(materialized='changing', key='date_key', affected='affected_days') }}
{{ summed_kpi_table_of(
  dimensions=['date_key', 'city_code', 'channel_code', 'service_type_code', 'product_code', 'source'],
  families=['contacts', 'visits', 'completions', 'tickets', 'surveys', 'rejects'],
) }}

{{ config(materialized='changing', key='date_key', affected='affected_days') }}
{{ summed_kpi_table_of(
  dimensions=['date_key', 'half_hour_key', 'city_code', 'channel_code', 'queue_key', 'service_type_code', 'source'],
  families=['contacts', 'visits', 'completions', 'tickets', 'surveys', 'rejects', 'seats', 'shifts'],
) }}

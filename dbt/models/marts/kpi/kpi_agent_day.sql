{{ config(materialized='changing', key='date_key', affected='affected_days') }}
-- Agents take few contacts a day: with queues and types as well there would be a row a contact.
{{ summed_kpi_table_of(
  dimensions=['date_key', 'city_code', 'agent_key', 'channel_code', 'source'],
  families=['contacts', 'visits', 'completions', 'surveys', 'states', 'shifts'],
) }}

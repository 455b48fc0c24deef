{{ config(materialized='changing', key='date_key', affected='affected_days') }}
select
  date_key,
  half_hour_key,
  city_code,
  centre_code,
  seat_key <> 0 as is_at_seat,
  cast(sum(installed_seconds_open) as bigint) as installed_seconds_open,
  sum(occupied_seconds) as occupied_seconds,
  sum(on_contact_seconds) as on_contact_seconds,
  sum(available_seconds) as available_seconds,
  sum(pause_seconds) as pause_seconds,
  sum(paid_pause_seconds) as paid_pause_seconds
from {{ ref('fct_seat_half_hour') }}
{{ only_affected('date_key', 'affected_days') }}
group by all

{{ config(materialized='changing', key='date_key', affected='affected_clock_days') }}
select
  date_key,
  city_code,
  policy_code,
  clock,
  standing,
  count(*) as tickets
from {{ ref('fct_ticket_sla') }}
{{ only_affected('date_key', 'affected_clock_days') }}
group by all

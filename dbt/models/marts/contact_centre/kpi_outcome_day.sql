{{ config(materialized='changing', key='date_key', affected='affected_days') }}
select
  date_key,
  city_code,
  channel_code,
  outcome,
  count(*) as contacts
from {{ ref('fct_contact') }}
{{ only_affected('date_key', 'affected_days') }}
group by all

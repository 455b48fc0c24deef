{{ config(materialized='changing', key='date_key', affected='affected_days') }}
select
  created_date_key as date_key,
  city_code,
  township_code,
  complaint_type_code,
  count(*) as complaints
from {{ ref('fct_ticket') }}
where
  is_complaint
  and township_code <> 'unknown'
  {{ only_affected('created_date_key', 'affected_days', word='and', key='date_key') }}
group by all
having count(*) >= 3

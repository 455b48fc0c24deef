{{ config(materialized='changing', key='date_key', affected='affected_days') }}
select
  date_key,
  city_code,
  channel_code,
  -- 0: asked, not answered.
  cast(coalesce(score, 0) as tinyint) as score,
  count(*) as answers
from {{ ref('fct_survey_answer') }}
{{ only_affected('date_key', 'affected_days') }}
group by all

{%- set spans = ref('fct_ticket_span') -%}
{%- set affected = ref('affected_loop_days') -%}
{{ config(materialized='changing', key=['date_key', 'city_code', 'state'], affected='affected_loop_days',
  affected_key='(date_key, city_code, state)') }}
-- Whole numbers, so that an increment adds the difference exactly.
with

-- Read twice rather than held in memory whole.
stays as not materialized (
  select
    span.date_key,
    span.ended_date_key,
    span.city_code,
    span.state,
    cast(round(span.seconds) as bigint) as stay_seconds,
    cast(coalesce(span.seconds <= span.target_seconds, false) as bigint) as within_target,
    {{ 'case when span.is_new then 1 else -1 end' if is_increment() else '1' }} as sign
  from {{ changes_of(spans) if is_increment() else spans }} as span
),

counted as (
  select date_key, city_code, state, sign as stays_begun, 0 as stays_ended, 0 as stays_within_target, 0 as stay_seconds
  from stays
  union all
  select ended_date_key, city_code, state, 0, sign, sign * within_target, sign * stay_seconds
  from stays
  where ended_date_key <> 0
  union all
  select date_key, city_code, state, stays_begun, stays_ended, stays_within_target, stay_seconds from
  {% if is_increment() %}
  {{ this }} where (date_key, city_code, state) in (select (date_key, city_code, state) from {{ affected }})
  {% else %}
  (select 0 as date_key, '' as city_code, '' as state, 0 as stays_begun, 0 as stays_ended, 0 as stays_within_target,
    0 as stay_seconds where false) as nothing
  {% endif %}
)

select
  date_key,
  city_code,
  state,
  cast(sum(stays_begun) as bigint) as stays_begun,
  cast(sum(stays_ended) as bigint) as stays_ended,
  cast(sum(stays_within_target) as bigint) as stays_within_target,
  cast(sum(stay_seconds) as bigint) as stay_seconds
from counted
group by date_key, city_code, state
having sum(stays_begun) <> 0 or sum(stays_ended) <> 0

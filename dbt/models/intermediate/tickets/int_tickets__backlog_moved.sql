{%- set stretches = ref('int_tickets__open_stretches') -%}
{%- set affected = ref('affected_backlog') -%}
{{ config(materialized='changing', key=['day', 'branch_key', 'age_band'], affected='affected_backlog', affected_key='(day, branch_key, age_band)') }}
-- By how much the backlog rose or fell on a day: whole numbers, so that an increment adds the difference exactly.
with

moves as (
  {% for column, sign in {'first_day': 1, 'end_day': -1}.items() %}
  select {{ column }} as day, branch_key, city_code, age_band,
    {{ sign }} {% if is_increment() %}* case when is_new then 1 else -1 end{% endif %} as move
  from {{ changes_of(stretches) if is_increment() else stretches }}
  where {{ column }} is not null
  union all
  {% endfor %}
  select day, branch_key, city_code, age_band, move from
  {% if is_increment() %}
  {{ this }} where (day, branch_key, age_band) in (select (day, branch_key, age_band) from {{ affected }})
  {% else %}
  (select null::date as day, 0 as branch_key, '' as city_code, '' as age_band, 0 as move where false) as nothing
  {% endif %}
)

select day, branch_key, city_code, age_band, cast(sum(move) as bigint) as move
from moves
group by day, branch_key, city_code, age_band
having sum(move) <> 0

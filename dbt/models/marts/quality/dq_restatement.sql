{{ config(materialized='log') }}
{%- set figures = ref('kpi_day') -%}
{#- What a full build found there before it cleared the warehouse (warehouse/anew.py). -#}
{%- set before = figures.incorporate(path={'schema': 'before'}) -%}
{%- set has_before = execute and not is_increment() and load_relation(before) is not none -%}
{%- set names = measures_in(before if has_before else figures) if execute else ['contacts'] -%}
with

told as (select build, mode, since_build, publication, cast(since_through as date) as since_day from {{ building() }}),

{% if has_before %}
earlier_sums as ({{ sums_by_day_and_city(before, names, 'sum(', ')') }}),
earlier as ({{ long_form('earlier_sums', names) }}),
summed as ({{ sums_by_day_and_city(figures, names, 'sum(', ')') }}),
later as ({{ long_form('summed', names) }}),
{% elif is_increment() %}
moved_sums as (
  {{ sums_by_day_and_city(changes_of(figures), names, 'sum(case when is_new then ', ' else 0 end)') }}
),
gone_sums as (
  {{ sums_by_day_and_city(changes_of(figures), names, 'sum(case when is_new then 0 else ', ' end)') }}
),
summed as (
  {{ sums_by_day_and_city(figures, names, 'sum(', ')', 'date_key in (select date_key from ' ~ changes_of(figures) ~ ')') }}
),
moved as ({{ long_form('moved_sums', names) }}),
gone as ({{ long_form('gone_sums', names) }}),
after as ({{ long_form('summed', names) }}),
earlier as (
  select
    moved.date_key, moved.city_code, moved.measure, coalesce(after.amount, 0) - moved.amount + gone.amount as amount
  from moved
  inner join gone
    on moved.date_key = gone.date_key and moved.city_code = gone.city_code and moved.measure = gone.measure
  left join after
    on moved.date_key = after.date_key and moved.city_code = after.city_code and moved.measure = after.measure
),
later as (select * from after),
{% else %}
earlier as (select date_key, city_code, '' as measure, cast(0 as double) as amount from {{ figures }} where false),
later as (select * from earlier),
{% endif %}

compared as (
  select
    coalesce(earlier.date_key, later.date_key) as date_key,
    coalesce(earlier.city_code, later.city_code) as city_code,
    coalesce(earlier.measure, later.measure) as measure,
    coalesce(earlier.amount, 0) as value_before,
    coalesce(later.amount, 0) as value_after
  from earlier
  -- An increment compares only what moved; a full build everything.
  {{ 'left' if is_increment() else 'full outer' }} join later
    on
      earlier.date_key = later.date_key
      and earlier.city_code = later.city_code
      and earlier.measure = later.measure
)

select
  told.build,
  told.mode,
  told.since_build,
  told.publication as since_publication,
  compared.date_key,
  compared.city_code,
  compared.measure,
  compared.value_before,
  compared.value_after,
  compared.value_after - compared.value_before as difference
from compared
cross join told
where
  -- A day that was still going on grows; a finished one is restated.
  compared.date_key < {{ date_key('told.since_day') }}
  and abs(compared.value_after - compared.value_before) > 0.001

{{ config(materialized='changing', key='date_key', affected='affected_repeat_days') }}
{%- set affected = ref('affected_repeat_days') -%}
{%- set tickets = ref('fct_ticket') -%}
-- Kinds are numbers, and a customer's complaints of one kind in a city have one key: a window sorts that several times as fast.
with

types as materialized (
  select
    complaint_type_code,
    row_number() over (order by complaint_type_code) as type,
    dense_rank() over (order by split_part(complaint_type_code, '.', 1)) as area,
    dense_rank() over (order by array_to_string(string_split(complaint_type_code, '.')[:2], '.')) as kind
  from (select distinct complaint_type_code from {{ tickets }}) as codes
),

cities as materialized (
  select city_code, row_number() over (order by city_code) as city
  from (select distinct city_code from {{ tickets }}) as codes
),

complaints as (
  select
    ticket.created_date_key,
    types.type,
    types.area,
    types.kind,
    ticket.customer_key * 256 + cities.city as who,
    epoch_us(ticket.created_at) as created_us
  from {{ tickets }} as ticket
  inner join types on ticket.complaint_type_code = types.complaint_type_code
  inner join cities on ticket.city_code = cities.city_code
  where
    {{ is_complaint_of_a_kind('ticket') }}
    {% if is_increment() %}and {{ within('ticket.created_at', ends_of_days(affected), before='30 day') }}{% endif %}
),

lined_up as (
  select
    created_date_key,
    type,
    who % 256 as city,
    created_us - lag(created_us) over (partition by who * 65536 + area order by created_us) as since_area_us,
    created_us - lag(created_us) over (partition by who * 65536 + kind order by created_us) as since_kind_us
  from complaints
),

counted as (
  select
    created_date_key as date_key,
    city,
    type,
    count(*) as complaints,
    count(*) filter (where since_area_us <= {{ thirty_days_us() }}) as repeats_of_area,
    count(*) filter (where since_kind_us <= {{ thirty_days_us() }}) as repeats_of_kind
  from lined_up
  {{ only_affected('created_date_key', 'affected_repeat_days', key='date_key') }}
  group by all
)

select
  counted.date_key,
  cities.city_code,
  types.complaint_type_code,
  counted.complaints,
  counted.repeats_of_area,
  counted.repeats_of_kind
from counted
inner join cities on counted.city = cities.city
inner join types on counted.type = types.type

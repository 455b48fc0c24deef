{{ config(materialized='changing', key='ticket_key', lake_table='tickets') }}
-- Every complaint type that a load has seen on a ticket; the weights of a ticket add up to 1.
{%- do source('lake', 'tickets') -%}
{% if not execute %}
select 1 as placeholder
{% else %}
{%- set loads = loads_read() -%}
{%- set files = lake_files('tickets', loads) -%}
{%- set adds = loads | length < current_loads() | length %}
{%- set schema = files.pop('') %}
{%- set held = files.keys() | sort %}
{#- A first copy holds a ticket once: where no later load does, it has that one type. #}
{%- set whole = [] if adds else whole_copy(files) %}
{%- set later = [] %}
{%- for load in held if load not in whole %}{% do later.extend(files[load]) %}{% endfor %}
with

several as (select distinct id as ticket_key from {{ read_lake(schema + later) }}),

seen as (
  select id as ticket_key, complaint_type_code, max(_dlt_load_id) as last_load
  from {{ read_lake(schema + (files.values() | sum(start=[]))) }}
  where complaint_type_code is not null and id in (select ticket_key from several)
  group by id, complaint_type_code
  {% if adds %}
  union all
  select ticket_key, complaint_type_code, last_load from {{ this }}
  where ticket_key in (select ticket_key from several)
  {% endif %}
),

once as (
  select ticket_key, complaint_type_code, max(last_load) as last_load
  from seen
  group by ticket_key, complaint_type_code
)

select
  ticket_key,
  complaint_type_code,
  last_load,
  row_number() over newest_first = 1 as is_present,
  1.0 / count(*) over (partition by ticket_key) as weight
from once
window newest_first as (partition by ticket_key order by last_load desc, complaint_type_code)
{% if whole %}
union all
select id, complaint_type_code, _dlt_load_id, true, 1.0
from {{ read_lake(schema + files[whole[0]]) }}
where complaint_type_code is not null and id not in (select ticket_key from several)
{% endif %}
{% endif %}

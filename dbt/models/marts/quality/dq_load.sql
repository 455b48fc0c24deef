{{ config(materialized='changing', key='load_id', affected='affected_loads') }}
{%- do ref('affected_loads') -%}
{% if not execute %}
select 1 as placeholder
{% else %}
{%- set loads = loads_read() %}
with

ledger as (
  select load_id, epoch, snapshot_at, completed_at, rows, store_rows
  from read_json('{{ lake_glob() }}/_ledger/*.json', columns = {
    load_id: 'varchar', epoch: 'bigint', snapshot_at: 'timestamptz', completed_at: 'timestamptz',
    rows: 'map(varchar, bigint)', store_rows: 'map(varchar, bigint)'
  })
  where load_id in ({% for load in loads %}'{{ load }}', {% endfor %}'')
),

promised as (
  select load_id, epoch, snapshot_at, completed_at, unnest(map_keys(rows)) as table_name, unnest(map_values(rows)) as ledger_rows, store_rows
  from ledger
)

select
  load_id,
  table_name,
  'province' as city_code,
  epoch,
  snapshot_at,
  completed_at,
  ledger_rows,
  store_rows[table_name] as store_rows
from promised
{% endif %}

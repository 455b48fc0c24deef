{#
  Slowly changing dimensions of type 2, from the versions that the loads brought: from when to when each combination
  of `columns` ({lake column: name}) was known. The first version holds from the beginning. A load that repeats a row
  without a change makes no version. The model is `changing`, known by `name`, with lake_table and lake_key.
#}
{% macro versions_of(table, name, columns, lake_key='id') %}
  {% do source('lake', table) %}
  {% if not execute %}{{ return('select 1 as placeholder') }}{% endif %}
  {% set loads = loads_read() %}
  {% set adds = loads | length < current_loads() | length %}
  {% set files = lake_files(table, loads) %}
  {% set schema = files.pop('') %}
  {% set held = files.keys() | sort %}
  {% set every = files.values() | sum(start=[]) %}
  {% set later = [] %}
  {% set whole = [] if adds else whole_copy(files) %}
  {% for load in held if load not in whole %}{% do later.extend(files[load]) %}{% endfor %}
  {% set sql %}
  with

  loads as (
    select load_id, cast(snapshot_at as timestamptz) as seen_at
    from read_json('{{ lake_glob() }}/_ledger/*.json', columns = {snapshot_at: 'varchar', load_id: 'varchar'})
  ),

  several as (select distinct {{ lake_key }} as {{ name }} from {{ read_lake(schema + later) }}),

  brought as (
    select
      version.{{ lake_key }} as {{ name }},
      {% for column, called in columns.items() %}version.{{ column }} as {{ called }}, {% endfor %}
      version.deleted_at is not null as is_gone,
      load.seen_at as valid_from,
      load.load_id,
      0 as known_number
    from {{ read_lake(schema + every) }} as version
    inner join loads as load on version._dlt_load_id = load.load_id
    {% if not adds %}where version.{{ lake_key }} in (select {{ name }} from several){% endif %}
    -- The newest of a load's versions of a key.
    qualify row_number() over (
      partition by version.{{ lake_key }}, version._dlt_load_id order by version.row_version desc
    ) = 1
  ),

  known as (
    select * from brought
    {% if adds %}
    union all
    select
      {{ name }}, {{ columns.values() | join(', ') }}, is_gone, valid_from,
      -- Known before these loads came.
      '' as load_id,
      version_number as known_number
    from {{ this }}
    where {{ name }} in (select {{ name }} from several)
    {% endif %}
  ),

  changed as (
    select
      *,
      row_number() over in_time = 1
      {% for called in columns.values() %}or {{ called }} is distinct from lag({{ called }}) over in_time {% endfor %}
      or is_gone is distinct from lag(is_gone) over in_time as is_change
    from known
    window in_time as (partition by {{ name }} order by valid_from, load_id, known_number)
  )

  select
    {{ name }},
    cast(row_number() over in_time as integer) as version_number,
    {% for called in columns.values() %}{{ called }}, {% endfor %}
    is_gone,
    case when row_number() over in_time = 1 then timestamptz '1900-01-01 00:00:00+00' else valid_from end as valid_from,
    coalesce(lead(valid_from) over in_time, timestamptz '9999-12-31 00:00:00+00') as valid_to,
    lead(valid_from) over in_time is null as is_current
  from changed
  where is_change
  window in_time as (partition by {{ name }} order by valid_from, load_id, known_number)
  {% if whole %}
  union all
  -- Of what only the first copy holds there is one version.
  select
    {{ lake_key }},
    1,
    {% for column in columns %}{{ column }}, {% endfor %}
    deleted_at is not null,
    timestamptz '1900-01-01 00:00:00+00',
    timestamptz '9999-12-31 00:00:00+00',
    true
  from {{ read_lake(schema + files[whole[0]]) }}
  where {{ lake_key }} not in (select {{ name }} from several)
  {% endif %}
  {% endset %}
  {{ return(sql) }}
{% endmacro %}

{#
  Features stand at an as-of date: local midnight at its beginning. Nothing that happened at or after that instant is
  looked at. The dates wanted come in as CRM_FEATURE_DATES (2026-05-01,2026-06-01), set by ml/features.py.
#}
{% macro feature_dates() %}{{ return(env_var('CRM_FEATURE_DATES', '').split(',') | select | list) }}{% endmacro %}

{#
  Whether a customer is among those drawn for learning (CRM_FEATURE_DRAWN, set by ml/features.py: the hash below which
  they are); everybody where it is not set. The lowest hashes, so that a draw holds every smaller one.
#}
{% macro is_drawn(customer_key) -%}
{% set limit = env_var('CRM_FEATURE_DRAWN', '') %}
{{- 'hash(cast(' ~ customer_key ~ ' as bigint)) < ' ~ limit if limit else 'true' -}}
{%- endmacro %}

{# How much of what happened `days` ago is still fresh: half after 60 days. #}
{% macro freshness(instant, at) -%}
pow(0.5, {{ seconds_between(instant, at) }} / 86400.0 / 60.0)
{%- endmacro %}

{# Whether an instant lies within the last `days` days before `at` (which it precedes already). #}
{% macro within_days(instant, at, days) -%}
(epoch_us({{ instant }}) >= epoch_us({{ at }}) - {{ days * 86400000000 }})
{%- endmacro %}

{# Whole and part days from one instant to another. #}
{% macro days_between(first, last) -%}({{ seconds_between(first, last) }} / 86400.0){%- endmacro %}

{# Repairs that take longer than this many hours are late for the customer, whatever was promised. #}
{% macro late_hours() %}96{% endmacro %}

{# The paths of all loads but the first. #}
{% macro later_files(files) %}
  {% set paths = [] %}
  {% for load in (files.keys() | sort)[1:] %}{% do paths.extend(files[load]) %}{% endfor %}
  {{ return(paths) }}
{% endmacro %}

{#
  Versions of a captured table's rows that a later load replaced, from when to when each was known. Empty while the
  lake holds a single load: then the present version is the only one known.
#}
{% macro superseded_versions(table, columns) %}
  {% do source('lake', table) %}
  {% if not execute %}{{ return('select 1 as placeholder') }}{% endif %}
  {% set files = lake_files(table, current_loads()) %}
  {% set schema = files.pop('') %}
  {% set loads = files.keys() | sort %}
  {% if loads | length <= 1 %}
    {{ return('select id as customer_key, ' ~ (columns | join(', ')) ~ ', now() as known_from, now() as known_to from ' ~ read_lake(schema) ~ ' where false') }}
  {% endif %}
  {% set every = schema + (files.values() | sum(start=[])) %}
  {% set sql %}
  with

  loads as (
    select load_id, cast(snapshot_at as timestamptz) as seen_at
    from read_json('{{ lake_glob() }}/_ledger/*.json', columns = {snapshot_at: 'varchar', load_id: 'varchar'})
  ),

  changed as (
    select id from {{ read_lake(schema + later_files(files)) }}
  ),

  versions as (
    select
      row.id as customer_key,
      {% for column in columns %}row.{{ column }}, {% endfor %}
      load.seen_at,
      row_number() over (partition by row.id order by load.load_id) as version_number,
      lead(load.seen_at) over (partition by row.id order by load.load_id) as replaced_at
    from {{ read_lake(every) }} as row
    inner join loads as load on row._dlt_load_id = load.load_id
    where row.id in (select id from changed)
  )

  select
    customer_key,
    {{ columns | join(', ') }},
    case when version_number = 1 then timestamptz '1900-01-01' else seen_at end as known_from,
    replaced_at as known_to
  from versions
  where replaced_at is not null
  {% endset %}
  {{ return(sql) }}
{% endmacro %}

{#
  Rows of a captured table that first came with a later load than the lake's first: `known_from` is that load's instant.
  What the first load held, and history brought in from elsewhere, counts as known when it happened.
#}
{% macro late_arrivals(table) %}
  {% do source('lake', table) %}
  {% if not execute %}{{ return('select 1 as placeholder') }}{% endif %}
  {% set files = lake_files(table, current_loads()) %}
  {% set schema = files.pop('') %}
  {% set loads = files.keys() | sort %}
  {% if loads | length <= 1 %}
    {{ return('select id as row_key, now() as known_from from ' ~ read_lake(schema) ~ ' where false') }}
  {% endif %}
  {% set sql %}
  with

  loads as (
    select load_id, cast(snapshot_at as timestamptz) as seen_at
    from read_json('{{ lake_glob() }}/_ledger/*.json', columns = {snapshot_at: 'varchar', load_id: 'varchar'})
  ),

  later as (
    select row.id as row_key, min(load.seen_at) as known_from
    from {{ read_lake(schema + later_files(files)) }} as row
    inner join loads as load on row._dlt_load_id = load.load_id
    where row.source = 'captured'
    group by row.id
  )

  select later.row_key, later.known_from
  from later
  anti join {{ read_lake(schema + files[loads[0]]) }} as begun on later.row_key = begun.id
  {% endset %}
  {{ return(sql) }}
{% endmacro %}

{# Whether what became known at `known_from` (NULL: when it happened) was known on the as-of day, on which is scored. #}
{% macro was_known(known_from, midnight) -%}
coalesce({{ known_from }} < {{ midnight }} + interval 1 day, true)
{%- endmacro %}

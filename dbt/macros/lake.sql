{#
  Reading the lake (its layout: core/lake.py). Only loads entered in the ledger exist, and of these only the ones
  of the newest epoch: an epoch begins with a whole copy of the restored store, so that what an older epoch holds
  beyond it no longer exists in the store.
#}

{# The lake's folder for a file pattern in quotes: its own quotes doubled, its brackets meant literally. #}
{% macro lake_glob() %}{{ return(env_var("CRM_LAKE") | replace("'", "''") | replace("[", "[[]")) }}{% endmacro %}

{# The loads of the newest epoch that this build knows, oldest first; none while dbt only parses. #}
{% macro current_loads() %}
  {% if not execute %}{{ return([]) }}{% endif %}
  {{ return(run_query("select unnest(all_loads) from " ~ building()).columns[0].values() | list) }}
{% endmacro %}

{# Those of them that a model reads: an increment adds only the new ones to a changing model. #}
{% macro loads_read() %}
  {% if not (is_increment() and model.config.materialized in ('changing', 'layered')) %}{{ return(current_loads()) }}{% endif %}
  {{ return(run_query("select unnest(loads) from " ~ building()).columns[0].values() | list) }}
{% endmacro %}

{# Files of a lake table by load: {load id: [paths]}; the empty schema file stands under ''. #}
{% macro lake_files(table, loads) %}
  {% set folder = lake_glob() ~ '/' ~ table %}
  {% set patterns = [folder ~ '/_schema.parquet'] %}
  {% if loads | length > 50 %}
    {% do patterns.append(folder ~ '/*/*.parquet') %}
  {% else %}
    {% for load in loads %}{% do patterns.append(folder ~ '/*/' ~ load ~ '.*.parquet') %}{% endfor %}
  {% endif %}
  {% set listing %}
    select file from glob(['{{ patterns | join("', '") }}']) order by file
  {% endset %}
  {% set files = {'': []} %}
  {% for path in run_query(listing).columns[0].values() %}
    {% set name = path.split('/')[-1] %}
    {% set load = '.'.join(name.split('.')[:2]) %}
    {% if name == '_schema.parquet' %}
      {% do files[''].append(path) %}
    {% elif load in loads %}
      {% do files.setdefault(load, []).append(path) %}
    {% endif %}
  {% endfor %}
  {{ return(files) }}
{% endmacro %}

{# The oldest load, a whole copy of the store in which each key stands once, if it holds rows of these files' table. #}
{% macro whole_copy(files) %}{{ return(current_loads()[:1] | select('in', files) | list) }}{% endmacro %}

{# The keys that the new loads hold a version of; none where they hold nothing of the table. #}
{% macro new_keys(table, lake_key, name) %}
  {% set files = lake_files(table, loads_read()) %}
  {% do files.pop('') %}
  {% set paths = files.values() | sum(start=[]) %}
  {{ return('select ' ~ lake_key ~ ' as ' ~ name ~ ' from ' ~ read_lake(paths) if paths else none) }}
{% endmacro %}

{# The rows of some files of one lake table, without those that a gate set aside (warehouse/quarantine.py). #}
{% macro read_lake(paths) -%}
{%- set listed -%}
read_parquet([{% for path in paths %}'{{ path | replace("'", "''") | replace("[", "[[]") }}'{{ ", " if not loop.last }}{% endfor %}], union_by_name = true, hive_partitioning = false)
{%- endset -%}
{%- set key = key_set_aside(paths) -%}
{%- if key -%}
(
  select held.* from {{ listed }} as held
  anti join (
    select row_key, load_id from read_parquet('{{ lake_glob() }}/_quarantine/*.parquet')
    where table_name = '{{ lake_table_of(paths[0]) }}'
  ) as aside on cast(held.{{ key }} as varchar) = aside.row_key and held._dlt_load_id = aside.load_id
)
{%- else -%}{{ listed }}{%- endif -%}
{%- endmacro %}

{# The table that a file belongs to: of <table>/_schema.parquet or <table>/<day>/<file>. #}
{% macro lake_table_of(path) -%}
{%- set parts = path.split('/') -%}
{{ return(parts[-2] if parts[-1] == '_schema.parquet' else parts[-3]) }}
{%- endmacro %}

{# The key by which rows of these files are set aside; empty where none of their table are. #}
{% macro key_set_aside(paths) %}
  {% if not execute or not paths %}{{ return('') }}{% endif %}
  {% set wanted = lake_table_of(paths[0]) ~ ':' %}
  {% for entry in run_query("select unnest(set_aside) from " ~ building()).columns[0].values() %}
    {% if entry.startswith(wanted) %}{{ return(entry[wanted | length:]) }}{% endif %}
  {% endfor %}
  {{ return('') }}
{% endmacro %}

{#
  The newest version of each row of a captured table, tombstones included: per key the row of the highest load. A full
  build looks rows of the oldest load (a whole copy, the big one) up among the newer ones and ranks only these; with a
  single load nothing is compared at all. An increment of a changing model reads the new loads alone: what they hold
  outranks what stands.
#}
{% macro current_rows(table, key='id') %}
  {% do source('lake', table) %}
  {% if not execute %}{{ return('(select 1)') }}{% endif %}
  {% set loads = loads_read() %}
  {% set files = lake_files(table, loads) %}
  {% set schema = files.pop('') %}
  {% set held = files.keys() | sort %}
  {% set whole = [] if loads | length < current_loads() | length else whole_copy(files) %}
  {% if held | length <= whole | length %}
    {{ return('(select * from ' ~ read_lake(schema + (files.values() | sum(start=[]))) ~ ')') }}
  {% endif %}
  {% set newer = [] %}
  {% for load in held if load not in whole %}{% do newer.extend(files[load]) %}{% endfor %}
  {% set sql %}
  (
    with newer_versions as (
      select * from {{ read_lake(schema + newer) }}
      qualify row_number() over (partition by {{ key }} order by _dlt_load_id desc, row_version desc) = 1
    )
    {% if whole %}
    select * from {{ read_lake(schema + files[whole[0]]) }}
    where {{ key }} not in (select {{ key }} from newer_versions)
    union all by name
    {% endif %}
    select * from newer_versions
  )
  {% endset %}
  {{ return(sql) }}
{% endmacro %}

{# When the newest load that this build knows looked at the store: a SQL literal. #}
{% macro last_snapshot() %}
  {% if not execute %}{{ return('now()') }}{% endif %}
  {{ return("timestamptz '" ~ run_query("select snapshot_at from " ~ building()).columns[0].values()[0] ~ "'") }}
{% endmacro %}

{#
  Reading the lake (its layout: core/lake.py). Only loads entered in the ledger exist, and of these only the ones
  of the newest epoch: an epoch begins with a whole copy of the restored store, so that what an older epoch holds
  beyond it no longer exists in the store.
#}

{# The lake's folder for a file pattern in quotes: its own quotes doubled, its brackets meant literally. #}
{% macro lake_glob() %}{{ return(env_var("CRM_LAKE") | replace("'", "''") | replace("[", "[[]")) }}{% endmacro %}

{# The completed loads of the newest epoch, oldest first; none while dbt only parses. #}
{% macro current_loads() %}
  {% if not execute %}{{ return([]) }}{% endif %}
  {% set ledger %}
    select load_id
    from read_json('{{ lake_glob() }}/_ledger/*.json', columns = {load_id: 'varchar', epoch: 'bigint'})
    where cast(load_id as double) <= (select last_load from read_json('{{ env_var("CRM_BUILDING") | replace("'", "''") | replace("[", "[[]") }}', columns = {last_load: 'double'}))
    qualify epoch = max(epoch) over ()
    order by cast(load_id as double)
  {% endset %}
  {{ return(run_query(ledger).columns[0].values() | list) }}
{% endmacro %}

{# Files of a lake table by load: {load id: [paths]}; the empty schema file stands under ''. #}
{% macro lake_files(table, loads) %}
  {% set listing %}
    select file from glob('{{ lake_glob() }}/{{ table }}/**/*.parquet') order by file
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

{% macro read_lake(paths) -%}
read_parquet([{% for path in paths %}'{{ path | replace("'", "''") | replace("[", "[[]") }}'{{ ", " if not loop.last }}{% endfor %}], union_by_name = true, hive_partitioning = false)
{%- endmacro %}

{#
  The newest version of each row of a captured table, tombstones included: per key the row of the highest load.
  The oldest load is the big one (a whole copy), later ones are small: their rows are ranked, the oldest load's
  only looked up, so that no window runs over the whole table; with a single load nothing is compared at all.
#}
{% macro current_rows(table, key='id') %}
  {% do source('lake', table) %}
  {% if not execute %}{{ return('(select 1)') }}{% endif %}
  {% set files = lake_files(table, current_loads()) %}
  {% set schema = files.pop('') %}
  {% set loads = files.keys() | sort %}
  {% if loads | length <= 1 %}
    {{ return('(select * from ' ~ read_lake(schema + (files.values() | sum(start=[]))) ~ ')') }}
  {% endif %}
  {% set newer = [] %}
  {% for load in loads[1:] %}{% do newer.extend(files[load]) %}{% endfor %}
  {% set sql %}
  (
    with newer_versions as (
      select * from {{ read_lake(schema + newer) }}
      qualify row_number() over (partition by {{ key }} order by _dlt_load_id desc, row_version desc) = 1
    )
    select * from {{ read_lake(schema + files[loads[0]]) }}
    where {{ key }} not in (select {{ key }} from newer_versions)
    union all by name
    select * from newer_versions
  )
  {% endset %}
  {{ return(sql) }}
{% endmacro %}

{# When the newest completed load looked at the store: a SQL literal. #}
{% macro last_snapshot() %}
  {% if not execute %}{{ return('now()') }}{% endif %}
  {% set newest %}
    select cast(max(cast(snapshot_at as timestamptz)) as varchar)
    from read_json('{{ lake_glob() }}/_ledger/*.json', columns = {snapshot_at: 'varchar', load_id: 'varchar'})
    where cast(load_id as double) <= (select last_load from read_json('{{ env_var("CRM_BUILDING") | replace("'", "''") | replace("[", "[[]") }}', columns = {last_load: 'double'}))
  {% endset %}
  {{ return("timestamptz '" ~ run_query(newest).columns[0].values()[0] ~ "'") }}
{% endmacro %}

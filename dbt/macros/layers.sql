{#
  Staging of the largest tables, of which a store rarely changes a row: the oldest load, a whole copy, stays in its
  Parquet files and is read there; only what later loads brought stands in a table (`<model>__later`, tombstones
  included, which outrank the copy). A full build copies nothing, an increment adds the new loads' versions.
  The model's body reads {{ layer(<lake table>) }} and says `is_gone`; it is known by `key`, `lake_key` in the lake.
#}
{% macro layer(table) %}{% do source('lake', table) %}{{ return('lake_layer') }}{% endmacro %}

{# The newest version of each key in some files, with the model's columns and is_gone. #}
{% macro newest_of_layer(query, paths, lake_key) -%}
{{ query | replace('lake_layer', '(
  select * from ' ~ read_lake(paths) ~ '
  qualify row_number() over (partition by ' ~ lake_key ~ ' order by _dlt_load_id desc, row_version desc) = 1
) as newest') }}
{%- endmacro %}

{% macro layered_view(query, paths, later, key) -%}
select * exclude (is_gone)
from ({{ query | replace('lake_layer', read_lake(paths) ~ ' as whole_copy') }}) as copied
where not is_gone and {{ key }} not in (select {{ key }} from {{ later }})
union all
select * exclude (is_gone) from {{ later }} where not is_gone
{%- endmacro %}

{% materialization layered, default %}
  {% set target = this.incorporate(type='view') %}
  {% set later = this.incorporate(path={'identifier': this.identifier ~ '__later'}, type='table') %}
  {% set table, key, lake_key = config.require('lake_table'), config.require('key'), config.get('lake_key', 'id') %}
  {% set files = lake_files(table, current_loads()) %}
  {% set schema = files.pop('') %}
  {% set held = files.keys() | sort %}
  {% set whole = whole_copy(files) %}
  {% set copied = schema + (files[whole[0]] if whole else []) %}
  {{ run_hooks(pre_hooks) }}
  {% if is_increment() %}
    {% do add_layer(target, later, files, schema, sql, key, lake_key) %}
  {% else %}
    {% set existing = load_cached_relation(this) %}
    {% if existing is not none and not existing.is_view %}{% do adapter.drop_relation(existing) %}{% endif %}
    {% set newer = [] %}
    {% for load in held if load not in whole %}{% do newer.extend(files[load]) %}{% endfor %}
    {% call statement('later') %}
      create or replace table {{ later }} as ({{ newest_of_layer(sql, schema + newer, lake_key) }})
    {% endcall %}
  {% endif %}
  {# Also in an increment: a home may have moved, and with it the files. #}
  {% call statement('main') %}
    create or replace view {{ target }} as ({{ layered_view(sql, copied, later, key) }})
  {% endcall %}
  {{ run_hooks(post_hooks) }}
  {% do adapter.commit() %}
  {{ return({'relations': [target]}) }}
{% endmaterialization %}

{# Adds the new loads' versions, and says in the schema `changes` what went and what came. #}
{% macro add_layer(target, later, files, schema, query, key, lake_key) %}
  {% set changes = changes_of(target) %}
  {% set paths = [] %}
  {% for load in loads_read() %}{% do paths.extend(files.get(load, [])) %}{% endfor %}
  {% set came = changes.incorporate(path={'identifier': changes.identifier ~ '__computed'}) %}
  {% call statement('computed') %}
    create or replace table {{ came }} as ({{ newest_of_layer(query, schema + paths, lake_key) }})
  {% endcall %}
  {% call statement('changes') %}
    create or replace table {{ changes }} as
    with before as materialized (
      select * from {{ target }} {{ 'where ' ~ key ~ ' in (select ' ~ key ~ ' from ' ~ came ~ ')' if paths else 'where false' }}
    ),
    arriving as (select * exclude (is_gone) from {{ came }} where not is_gone),
    gone as (select * from before except select * from arriving),
    arrived as (select * from arriving except select * from before)
    select false as is_new, * from gone
    union all
    select true as is_new, * from arrived
  {% endcall %}
  {% call statement('replaced') %}delete from {{ later }} where {{ key }} in (select {{ key }} from {{ came }}){% endcall %}
  {% call statement('added') %}insert into {{ later }} select * from {{ came }}{% endcall %}
  {% do run_query('drop table ' ~ came) %}
{% endmacro %}

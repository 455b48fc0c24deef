{#
  Increments by affected keys (docs/warehouse.md). A model materialized as `changing` has rows known by `key`. A full
  build makes it whole. An increment computes only the rows of affected keys, compares them with what stands there and
  replaces those that differ, no others; what went and what came stays in the schema `changes` for the models behind it.
#}

{# Whether this build adds new loads to what stands, or makes everything anew. Not asked while dbt parses, so that a
   change of mode parses nothing anew. #}
{% macro is_increment() %}{{ return(execute and env_var('CRM_BUILD_MODE', 'full') == 'increment') }}{% endmacro %}

{# What crm build wrote down about itself before dbt started: one row. #}
{% macro building() -%}
read_json('{{ env_var("CRM_BUILDING") | replace("'", "''") | replace("[", "[[]") }}', columns = {
  mode: 'varchar', build: 'varchar', loads: 'varchar[]', all_loads: 'varchar[]', snapshot_at: 'varchar',
  since_build: 'varchar', since_through: 'varchar', publication: 'varchar', set_aside: 'varchar[]'
})
{%- endmacro %}

{# The rows of a changing model that went (not is_new) and came (is_new) in this increment. #}
{% macro changes_of(relation) %}{{ return(relation.incorporate(path={'schema': 'changes'})) }}{% endmacro %}

{# A condition that keeps the affected rows in an increment and all rows in a full build. #}
{% macro only_affected(column, affected, word='where', key=none) -%}
  {%- set keys = ref(affected) -%}
  {%- if is_increment() %} {{ word }} {{ column }} in (select keys.{{ key or column.split('.')[-1] }} from {{ keys }} as keys) {% endif -%}
{%- endmacro %}

{# Members of a dimension that arrived or went in this increment: rows that name them stand under another key now. #}
{% macro arrived_or_gone(name, key) -%}
select {{ key }} from {{ changes_of(ref(name)) }} group by {{ key }} having count(distinct is_new) = 1
{%- endmacro %}

{# Whether a query finds a row: what nothing moved is not looked for among the whole history. #}
{% macro finds(query) %}{{ return(run_query('select exists(' ~ query ~ ')').columns[0].values()[0]) }}{% endmacro %}

{# What a row of which the key has not arrived yet is counted under: 0 is "none given", -1 "not yet arrived". #}
{% macro member(given, found) -%}
case when {{ given }} is null then 0 else coalesce({{ found }}, -1) end
{%- endmacro %}

{# One column, or several as one value. #}
{% macro key_text(key) -%}{{ key if key is string else '(' ~ (key | join(', ')) ~ ')' }}{%- endmacro %}

{% materialization changing, default %}
  {% set target = this.incorporate(type='table') %}
  {% set changes = changes_of(target) %}
  {% set existing = load_cached_relation(this) %}
  {{ run_hooks(pre_hooks) }}
  {% if is_increment() %}
    {% do replace_affected(target, changes, sql) %}
  {% else %}
    {% if existing is not none and existing.is_view %}{% do adapter.drop_relation(existing) %}{% endif %}
    {% call statement('main') %}{{ rebuild(target, sql) }}{% endcall %}
  {% endif %}
  {{ run_hooks(post_hooks) }}
  {% do adapter.commit() %}
  {{ return({'relations': [target]}) }}
{% endmaterialization %}

{% macro rebuild(target, query) %}{{ adapter.dispatch('rebuild')(target, query) }}{% endmacro %}
{% macro default__rebuild(target, query) %}create or replace table {{ target }} as ({{ query }}){% endmacro %}

{# The increment of one model: nothing at all where no key is affected. #}
{% macro replace_affected(target, changes, query) %}
  {% set affected = affected_query() %}
  {% if not affected or not run_query("select exists(" ~ affected ~ ")").columns[0].values()[0] %}
    {% call statement('main') %}
      create or replace table {{ changes }} as select true as is_new, * from {{ target }} where false
    {% endcall %}
    {{ return('') }}
  {% endif %}
  {% set key = key_text(config.require('key')) %}
  {% set came = changes.incorporate(path={'identifier': changes.identifier ~ '__computed'}) %}
  {% call statement('computed') %}{{ rebuild(came, query) }}{% endcall %}
  {% call statement('changes') %}
    create or replace table {{ changes }} as
    with before as materialized (select * from {{ target }} where {{ key }} in ({{ affected }})),
    gone as (select * from before except select * from {{ came }}),
    arrived as (select * from {{ came }} except select * from before)
    select false as is_new, * from gone
    union all
    select true as is_new, * from arrived
  {% endcall %}
  {% call statement('deleted') %}
    delete from {{ target }} where {{ key }} in (select {{ key }} from {{ changes }})
  {% endcall %}
  {% call statement('main') %}
    insert into {{ target }}
    select * from {{ came }}
    where {{ key }} in (select {{ key }} from {{ changes }})
  {% endcall %}
  {% do run_query('drop table ' ~ came) %}
{% endmacro %}

{# The affected keys of the model that is being built: of the lake's new files, or of its `affected` model. #}
{% macro affected_query() %}
  {% if config.get('lake_table') %}
    {{ return(new_keys(config.get('lake_table'), config.get('lake_key', 'id'), config.require('key'))) }}
  {% endif %}
  {% set found = config.require('affected') %}
  {{ return('select ' ~ config.get('affected_key', config.require('key')) ~ ' from ' ~ target.database ~ '.affected.' ~ found) }}
{% endmacro %}

{# Branches that changed, and those below them: their city may be another now. #}
{% macro changed_branches() -%}
{%- set units = ref('stg_lake__org_units') -%}
select branch_key from {{ changes_of(units) }}
union
select branch_key from {{ units }} where parent_key in (select branch_key from {{ changes_of(units) }})
{%- endmacro %}

{# The body of a model of affected keys in a full build, in which nothing is looked up. #}
{% macro nothing_affected(columns) -%}
select {% for name, type in columns.items() %}cast(null as {{ type }}) as {{ name }}{{ ', ' if not loop.last }}{% endfor %} where false
{%- endmacro %}

{# A mart as the build before left it, for models that the mart itself is made from. #}
{% macro previous(name) -%}
{{ target.database }}.marts.{{ name }}
{%- endmacro %}

{# A condition that an instant lies within the instants `seen_at` that a query finds, widened: as literals, so that what lies
   outside is not read. Nothing does if the query finds none. In increments only: it asks at once. #}
{% macro within(column, found, before='0 second', after='0 second') %}
  {% set span %}
    select cast(min(seen_at) - interval {{ before }} as varchar), cast(max(seen_at) + interval {{ after }} as varchar)
    from ({{ found }}) as found
  {% endset %}
  {% set first, last = run_query(span).rows[0] %}
  {% if first is none %}{{ return('false') }}{% endif %}
  {{ return(column ~ " between timestamptz '" ~ first ~ "' and timestamptz '" ~ last ~ "'") }}
{% endmacro %}

{# Both ends of the local days of a model of affected days, as the instants `seen_at`. #}
{% macro ends_of_days(affected) -%}
{%- for days in (0, 1) -%}
select {{ instant_of_local_us("epoch_us(make_date(date_key // 10000, date_key // 100 % 100, date_key % 100)) + " ~ days * 86400000000) }} as seen_at
from {{ affected }} where date_key > 0
{{ 'union all ' if not loop.last }}
{%- endfor -%}
{%- endmacro %}

{# The start of the latest contact that first-contact resolution looks at, in microseconds: a query. #}
{% macro last_asked_us() %}select last_us from {{ ref('int_contact_centre__last_asked') }}{% endmacro %}

{#
  Tests of a full build look at every row; those of an increment at what it changed (and at every row of models that
  are always made whole), so that their cost follows the increment and not the history.
#}

{# How a model is materialized, by its relation; none for other relations. #}
{% macro config_of(relation) %}
  {% for node in graph.nodes.values() %}
    {% if node.resource_type == 'model' and node.alias == relation.identifier %}{{ return(node.config) }}{% endif %}
  {% endfor %}
{% endmacro %}

{# The rows that came in this increment; all rows in a full build. #}
{% macro rows_that_came(relation) -%}
  {%- if is_increment() and config_of(relation).materialized == 'changing' -%}
    (select * exclude (is_new) from {{ changes_of(relation) }} where is_new)
  {%- else -%}
    {{ relation }}
  {%- endif -%}
{%- endmacro %}

{# All rows of the keys that changed in this increment; all rows in a full build. #}
{% macro rows_of_changed_keys(relation) -%}
  {%- set known = config_of(relation) if execute else none -%}
  {%- if is_increment() and known.materialized == 'changing' -%}
    {%- set key = key_text(known.key) -%}
    (select * from {{ relation }} where {{ key }} in (select {{ key }} from {{ changes_of(relation) }}))
  {%- else -%}
    {{ relation }}
  {%- endif -%}
{%- endmacro %}

{#
  The grain: at most one row a combination of the columns. Grouping tens of millions of rows costs as much as making
  them: with `number`, a whole number of each combination, a full build marks it in a bitmap, and groups only if fewer
  marks than rows are found (combinations may share a number: then it groups for nothing).
#}
{% test one_row_per(model, columns, number=none) %}
{%- if number and execute and not is_increment() and has_as_many_numbers_as_rows(model, number) -%}
select 1 as rows_found where false
{%- else -%}
select {{ columns | join(', ') }}, count(*) as rows_found
from {{ rows_of_changed_keys(model) }} as checked
group by {{ columns | join(', ') }}
having count(*) > 1
{%- endif -%}
{% endtest %}

{% macro has_as_many_numbers_as_rows(model, number) %}
  {% set numbers = '(select ' ~ number ~ ' as number from ' ~ model ~ ') as numbered' %}
  {% set lowest, highest, counted = run_query('select min(number), max(number), count(*) from ' ~ numbers).rows[0] %}
  {% if not counted %}{{ return(true) }}{% endif %}
  {# What a bitmap of DuckDB holds. #}
  {% if lowest is none or highest - lowest >= 1000000000 %}{{ return(false) }}{% endif %}
  {% set marks = run_query('select bit_count(bitstring_agg(number, ' ~ lowest ~ ', ' ~ highest ~ ')) from ' ~ numbers) %}
  {{ return(marks.rows[0][0] == counted) }}
{% endmacro %}

{# Facts never hold a NULL key: what is not known is a member of its own. #}
{% test never_null(model, columns) %}
select *
from {{ rows_that_came(model) }} as checked
where {% for column in columns %}{{ column }} is null{{ ' or ' if not loop.last }}{% endfor %}
{% endtest %}

{# Every value of a key column stands in its dimension: {column: [dimension, its column]}. #}
{% test known_members(model, members) %}
{%- set came = rows_that_came(model) %}
{% for column, place in members.items() %}
select '{{ column }}' as column_name, cast(fact.{{ column }} as varchar) as member, fact.row_count
from (select {{ column }}, count(*) as row_count from {{ came }} as came group by {{ column }}) as fact
where fact.{{ column }} not in (select {{ place[1] }} from {{ ref(place[0]) }})
{{ 'union all' if not loop.last }}
{% endfor %}
{% endtest %}

{# A condition that every row meets. #}
{% test holds(model, condition) %}
select * from {{ rows_that_came(model) }} as checked where not coalesce({{ condition }}, false)
{% endtest %}

{# Of each combination of the columns the weights of a bridge add up to 1. #}
{% test weights_add_up(model, columns) %}
select {{ columns | join(', ') }}, sum(weight) as weights
from {{ rows_of_changed_keys(model) }} as checked
group by {{ columns | join(', ') }}
having abs(sum(weight) - 1) > 1e-9
{% endtest %}

{# Stretches of one key, from valid_from to valid_to, never overlap; several rows may share a stretch. #}
{% test one_after_the_other(model, key) %}
select {{ key }}, valid_from, valid_to
from (select distinct {{ key }}, valid_from, valid_to from {{ rows_of_changed_keys(model) }}) as stretch
qualify valid_from < lag(valid_to) over (partition by {{ key }} order by valid_from, valid_to)
{% endtest %}

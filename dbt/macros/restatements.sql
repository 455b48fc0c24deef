{#
  The restatement log: what a build changed in days that an earlier build had already finished, by measure and city.
  An increment knows it from the rows that went and came; a full build from the figures that it set aside before.
#}

{# The measures that a table of figures holds. #}
{% macro measures_in(relation) %}
  {% set names = [] %}
  {% for family in measures().values() %}
    {% for name in family if name not in names %}{% do names.append(name) %}{% endfor %}
  {% endfor %}
  {% set held = adapter.get_columns_in_relation(relation) | map(attribute='name') | list %}
  {{ return(names | select('in', held) | list) }}
{% endmacro %}

{% macro sums_by_day_and_city(relation, names, head, tail, where='true') -%}
select date_key, city_code, {% for name in names %}cast({{ head }}{{ name }}{{ tail }} as double) as {{ name }}{{ ', ' if not loop.last }}{% endfor %}
from {{ relation }} where {{ where }} group by date_key, city_code
{%- endmacro %}

{% macro long_form(relation, names) -%}
select date_key, city_code, measure, amount
from {{ relation }} unpivot (amount for measure in ({{ names | join(', ') }}))
{%- endmacro %}

{# Appends its rows; what stands stays, in a full build too. #}
{% materialization log, default %}
  {% set relation = this.incorporate(type='table') %}
  {{ run_hooks(pre_hooks) }}
  {% call statement('created') %}create table if not exists {{ relation }} as select * from ({{ sql }}) as found where false{% endcall %}
  {% call statement('main') %}insert into {{ relation }} {{ sql }}{% endcall %}
  {{ run_hooks(post_hooks) }}
  {% do adapter.commit() %}
  {{ return({'relations': [relation]}) }}
{% endmaterialization %}

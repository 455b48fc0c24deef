{# Seconds of the stretches of one kind. #}
{% macro seconds_of_kind(kind) -%}
sum({{ seconds_between('started_at', 'ended_at') }}) filter (where kind = '{{ kind }}')
{%- endmacro %}

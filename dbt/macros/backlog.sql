{# Bands of a ticket's age: code, whole days from which it counts. #}
{% macro age_bands() %}{{ return([('1_day', 0), ('3_days', 1), ('7_days', 3), ('30_days', 7), ('older', 30)]) }}{% endmacro %}

{# The number of the band of an age in microseconds, 0 for the youngest; NULL of NULL. #}
{% macro age_band_number(age_us) -%}
case when {{ age_us }} is null then null {% for _, days in age_bands() if days -%}
when {{ age_us }} < {{ days * 86400000000 }} then {{ loop.index0 }} {% endfor %}else {{ age_bands() | length - 1 }} end
{%- endmacro %}

{# The age in microseconds at which a band begins, by its number; NULL beyond the last. #}
{% macro age_band_edge(number) -%}
(case {{ number }} {% for _, days in age_bands() %}when {{ loop.index0 }} then {{ days * 86400000000 }} {% endfor %}end)
{%- endmacro %}

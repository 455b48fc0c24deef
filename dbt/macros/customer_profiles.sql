{# Bands of a customer's running monthly fees, in fen: from, code. #}
{% macro value_bands() %}{{ return([(0, 'none'), (1, 'low'), (3000, 'middle'), (8000, 'high'), (30000, 'top')]) }}{% endmacro %}
{% macro customer_kinds() %}{{ return(['person', 'organisation', 'unknown']) }}{% endmacro %}
{% macro key_levels() %}{{ return(['none', 'silver', 'gold', 'platinum']) }}{% endmacro %}

{# The number of a combination in dim_customer_profile; the standing's number makes its thousands. #}
{% macro customer_profile_key(kind, key_level, fee, standing) -%}
cast(cast({{ standing }} as integer) * 1000
+ case {{ kind }}{% for known in customer_kinds() %} when '{{ known }}' then {{ loop.index0 }}{% endfor %} else 2 end * 100
+ case {{ key_level }}{% for known in key_levels() %} when '{{ known }}' then {{ loop.index0 }}{% endfor %} else 9 end * 10
+ case {% for first, code in value_bands() | reverse %}when {{ fee }} >= {{ first }} then {{ value_bands() | length - loop.index }} {% endfor %}else 0 end as integer)
{%- endmacro %}

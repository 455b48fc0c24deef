{# Which contacts and complaints are followed from one to the customer's next, for kpi_journey_day and kpi_repeat_day. #}

{# Inbound contacts of known customers that came through. #}
{% macro is_on_a_journey() %}customer_key > 0 and direction = 'in' and outcome <> 'blocked'{% endmacro %}

{# Complaints of known customers with a type. #}
{% macro is_complaint_of_a_kind(alias='') -%}
{%- set of = alias ~ '.' if alias -%}
{{ of }}is_complaint and {{ of }}customer_key > 0 and {{ of }}complaint_type_code <> 'unknown'
{%- endmacro %}

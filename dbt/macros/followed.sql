{# Which contacts and complaints are followed from one to the customer's next, for kpi_journey_day and kpi_repeat_day. #}

{# Inbound contacts of known customers that came through. #}
{% macro is_on_a_journey() %}customer_key > 0 and direction = 'in' and outcome <> 'blocked'{% endmacro %}

{# Complaints of known customers with a type. #}
{% macro is_complaint_of_a_kind(alias='') -%}
{%- set of = alias ~ '.' if alias -%}
{{ of }}is_complaint and {{ of }}customer_key > 0 and {{ of }}complaint_type_code <> 'unknown'
{%- endmacro %}

{# The body of a model of affected days of summaries that follow one row of a fact to the customer's next in a city: the days
   of rows that came, went, or differ in what `told_by` names, and of the same customer's rows from `before` to `after` them. #}
{% macro days_that_lead_to(fact, day, at, told_by, condition, before_us=0, after_us=0) %}
{% if not is_increment() %}
{{ nothing_affected({'date_key': 'integer'}) }}
{% else %}
with

moved as (
  select customer_key, city_code, {{ day }}, {{ at }}, {{ told_by | join(', ') }}
  from {{ changes_of(fact) }}
  where {{ condition }}
  group by all
  having count(*) = 1
)

select {{ day }} as date_key from moved
union
select near.{{ day }}
from {{ fact }} as near
inner join moved on near.customer_key = moved.customer_key and near.city_code = moved.city_code
where
  epoch_us(near.{{ at }}) - epoch_us(moved.{{ at }}) between -{{ before_us }} and {{ after_us }}
  and {{ within('near.' ~ at, 'select ' ~ at ~ ' as seen_at from ' ~ changes_of(fact), before=before_us ~ ' microsecond', after=after_us ~ ' microsecond') }}
{% endif %}
{% endmacro %}

{# How a contact may end; a test of fct_contact holds it. #}
{% macro contact_outcomes() %}{{ return(['answered', 'abandoned', 'ended_in_ivr', 'blocked', 'other', 'unknown']) }}{% endmacro %}

{# The number of a combination of a contact's flags, so that a fact needs no look-up. #}
{% macro contact_flags_key(direction, outcome, self_served, in_ivr, has_ticket, is_first) -%}
(case {{ outcome }}{% for known in contact_outcomes() %} when '{{ known }}' then {{ loop.index0 }}{% endfor %} end * 32
+ case when {{ direction }} = 'out' then 16 else 0 end
+ case when {{ self_served }} then 8 else 0 end
+ case when {{ in_ivr }} then 4 else 0 end
+ case when {{ has_ticket }} then 2 else 0 end
+ case when {{ is_first }} then 1 else 0 end)
{%- endmacro %}

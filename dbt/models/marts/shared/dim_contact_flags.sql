-- Every combination there can be; fct_contact.contact_flags_key numbers them.
select
  cast({{ contact_flags_key('direction', 'outcome', 'is_self_served', 'is_in_ivr', 'has_ticket', 'is_first_contact') }} as smallint) as contact_flags_key,
  direction,
  outcome,
  is_self_served,
  is_in_ivr,
  has_ticket,
  is_first_contact
from (values ('in'), ('out')) as directions (direction)
cross join (values {% for outcome in contact_outcomes() %}('{{ outcome }}'){{ ', ' if not loop.last }}{% endfor %}) as outcomes (outcome)
{% for flag in ['is_self_served', 'is_in_ivr', 'has_ticket', 'is_first_contact'] -%}
cross join (values (true), (false)) as {{ flag }}_values ({{ flag }})
{% endfor %}

{%- set answers, contacts, tickets = ref('stg_lake__survey_answers'), ref('fct_contact'), ref('fct_ticket') -%}
{% if not is_increment() %}
{{ nothing_affected({'survey_answer_key': 'bigint'}) }}
{% else %}
select survey_answer_key from {{ changes_of(answers) }}
union
select survey_answer_key from {{ answers }} where contact_key in (select contact_key from {{ changes_of(contacts) }})
union
select survey_answer_key
from {{ answers }}
where ticket_key in (
  select ticket_key from {{ changes_of(tickets) }}
  union all
  select ticket_key from {{ tickets }} where contact_key in (select contact_key from {{ changes_of(contacts) }})
)
{% endif %}

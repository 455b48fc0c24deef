{{ config(materialized='changing', key='survey_answer_key', affected='affected_survey_answers') }}
with

answers as (
  select * from {{ ref('stg_lake__survey_answers') }}
  {{ only_affected('survey_answer_key', 'affected_survey_answers') }}
),

tickets as (
  select * from {{ ref('fct_ticket') }}
  {% if is_increment() %}where ticket_key in (select ticket_key from answers){% endif %}
),

contacts as (
  select * from {{ ref('fct_contact') }}
  {% if is_increment() %}
  where contact_key in (select contact_key from answers union all select contact_key from tickets)
  {% endif %}
)

select
  answer.survey_answer_key,
  coalesce(answer.contact_key, ticket.contact_key, 0) as contact_key,
  coalesce(answer.ticket_key, 0) as ticket_key,
  coalesce(contact.channel_code, ticket.channel_code, 'unknown') as channel_code,
  coalesce(contact.service_type_code, ticket.service_type_code, 'unknown') as service_type_code,
  coalesce(contact.product_code, ticket.product_code, 'unknown') as product_code,
  coalesce(contact.branch_key, ticket.branch_key, 0) as branch_key,
  coalesce(contact.city_code, ticket.city_code, 'unknown') as city_code,
  coalesce(contact.queue_key, 0) as queue_key,
  coalesce(contact.agent_key, 0) as agent_key,
  {{ local_date_key('answer.asked_at') }} as date_key,
  {{ local_half_hour_key('answer.asked_at') }} as half_hour_key,
  answer.asked_at,
  answer.answered_at,
  answer.score,
  answer.score is not null as is_answered,
  coalesce(contact.source, ticket.source, 'captured') as source
from answers as answer
left join tickets as ticket on answer.ticket_key = ticket.ticket_key
left join contacts as contact on contact.contact_key = coalesce(answer.contact_key, ticket.contact_key)

select
  day.as_of,
  coalesce(nullif(contact.customer_key, 0), ticket.customer_key) as customer_key,
  count(*) as survey_answers_365d,
  avg(answer.score) as mean_survey_score_365d,
  count(*) filter (where answer.score <= 2) as low_scores_365d
from {{ ref('fct_survey_answer') }} as answer
inner join {{ ref('feature_dates') }} as day
  on answer.answered_at < day.midnight and {{ within_days('answer.answered_at', 'day.midnight', 365) }}
left join {{ ref('fct_contact') }} as contact on answer.contact_key = contact.contact_key and answer.contact_key <> 0
left join {{ ref('fct_ticket') }} as ticket on answer.ticket_key = ticket.ticket_key and answer.ticket_key <> 0
where answer.is_answered and coalesce(nullif(contact.customer_key, 0), ticket.customer_key, 0) <> 0
group by all

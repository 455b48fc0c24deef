with

answers as (
  select
    answer.score,
    answer.answered_at,
    coalesce(nullif(contact.customer_key, 0), ticket.customer_key) as customer_key
  from {{ ref('fct_survey_answer') }} as answer
  left join {{ ref('fct_contact') }} as contact on answer.contact_key = contact.contact_key and answer.contact_key <> 0
  left join {{ ref('fct_ticket') }} as ticket on answer.ticket_key = ticket.ticket_key and answer.ticket_key <> 0
  where answer.is_answered
)

select
  day.as_of,
  answer.customer_key,
  count(*) as survey_answers_365d,
  avg(answer.score) as mean_survey_score_365d,
  count(*) filter (where answer.score <= 2) as low_scores_365d
from answers as answer
inner join {{ ref('feature_dates') }} as day
  on answer.answered_at < day.midnight and {{ within_days('answer.answered_at', 'day.midnight', 365) }}
where coalesce(answer.customer_key, 0) <> 0 and {{ is_drawn('answer.customer_key') }}
group by day.as_of, answer.customer_key

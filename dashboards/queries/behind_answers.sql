-- The newest answers to the satisfaction question (or questions, with $unanswered), and how many there are; a parameter that is NULL filters nothing.
with picked as (
  select answer.*, dim_agent.code as agent
  from fct_survey_answer as answer
  left join dim_agent on answer.agent_key = dim_agent.agent_key
  where
    answer.date_key between $first and $last
    and ($unanswered is not null or answer.score is not null)
    and ($city is null or answer.city_code = $city)
    and ($channel is null or answer.channel_code = $channel)
    and ($score is null or answer.score = $score)
)

select
  (select count(*) from picked) as total,
  picked.contact_key,
  picked.asked_at,
  picked.answered_at,
  picked.channel_code as channel,
  picked.service_type_code as service_type,
  picked.city_code as city,
  picked.agent,
  picked.score
from picked
order by picked.asked_at desc, picked.survey_answer_key desc
limit 500

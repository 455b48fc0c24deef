-- Satisfaction questions asked in the period: how many were answered with which score (NULL: not answered).
select
  answer.channel_code as channel,
  answer.score,
  count(*) as answers
from fct_survey_answer as answer
where
  answer.date_key between $first and $last
  and ($city is null or answer.city_code = $city)
group by answer.channel_code, answer.score

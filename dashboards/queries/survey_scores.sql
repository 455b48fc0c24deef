-- Satisfaction questions asked in the period: how many were answered with which score (NULL: not answered).
select channel_code as channel, nullif(score, 0) as score, cast(sum(answers) as bigint) as answers
from kpi_answer_day
where date_key between $first and $last and ($city is null or city_code = $city)
group by channel_code, score

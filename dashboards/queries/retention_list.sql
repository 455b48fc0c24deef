-- Who would cost most by leaving: probability, yuan at risk, the two strongest reasons for it in words.
with

listed as (
  select *, list_filter(str_split(reasons, ';'), lambda reason: contains(reason, ':up')) as parts
  from fct_retention
  where $city is null or city_code = $city
  order by yuan_at_risk desc, customer_key
  limit 50
)

select
  listed.customer_key,
  listed.city_code,
  listed.probability,
  listed.yuan_at_risk,
  listed.remedy,
  replace(first.text_zh, '{value}', split_part(listed.parts[1], '=', 2)) as reason_1_zh,
  replace(first.text_en, '{value}', split_part(listed.parts[1], '=', 2)) as reason_1_en,
  replace(second.text_zh, '{value}', split_part(listed.parts[2], '=', 2)) as reason_2_zh,
  replace(second.text_en, '{value}', split_part(listed.parts[2], '=', 2)) as reason_2_en
from listed
left join dim_score_text as first on first.model = 'churn' and first.code = split_part(listed.parts[1], '=', 1)
left join dim_score_text as second on second.model = 'churn' and second.code = split_part(listed.parts[2], '=', 1)
order by listed.yuan_at_risk desc, listed.customer_key

-- Whom to keep: the fifth at the highest risk, what leaving would cost, the main reason, and what may help against it.
with

remedies as (
  select column_name, remedy
  from {{ model_rows('remedies', {'column_name': 'varchar', 'remedy': 'varchar'}) }}
),

risks as (
  select
    *,
    list_filter(str_split(reasons, ';'), lambda reason: contains(reason, ':up')) as raising
  from {{ ref('fct_customer_score') }}
  where model = 'churn' and percentile >= 80
)

select
  risk.customer_key,
  risk.city_code,
  risk.score as probability,
  risk.percentile,
  risk.label,
  risk.score * customer.monthly_fee_yuan_a_year as yuan_at_risk,
  risk.reasons,
  coalesce(remedy.remedy, 'contact') as remedy,
  risk.version,
  risk.as_of
from risks as risk
inner join (
  select customer_key, monthly_fee_fen * 12 / 100.0 as monthly_fee_yuan_a_year, status from {{ ref('dim_customer') }}
) as customer on risk.customer_key = customer.customer_key
left join remedies as remedy on split_part(risk.raising[1], ':', 1) = remedy.column_name
where customer.status = 'active'

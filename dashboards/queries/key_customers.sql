-- Key customers by level: how many there are, and what they met in the months of the period.
with

months as (
  select
    profile.key_level,
    sum(month.contacts) as contacts,
    sum(month.contacts_abandoned) as abandoned,
    sum(month.complaints) as complaints,
    sum(month.tickets) as tickets,
    sum(month.tickets_late) as late,
    sum(month.tickets_reopened) as reopened
  from fct_customer_month as month
  inner join dim_customer_profile as profile on month.customer_profile_key = profile.customer_profile_key
  where
    month.month_key between $first // 100 and $last // 100
    and profile.key_level <> 'none'
    and ($city is null or month.city_code = $city)
  group by profile.key_level
),

people as (
  select key_level, count(*) as customers
  from dim_customer
  where
    key_level <> 'none'
    and customer_key > 0
    and left_date is null
    and ($city is null or city_code = $city)
  group by key_level
)

select people.key_level, people.customers, months.contacts, months.abandoned, months.complaints, months.tickets, months.late,
  months.reopened
from people
left join months on people.key_level = months.key_level
order by case people.key_level when 'platinum' then 1 when 'gold' then 2 else 3 end

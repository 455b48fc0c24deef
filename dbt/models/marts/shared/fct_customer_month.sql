{{ config(materialized='changing', key='customer_key', affected='affected_activity') }}
with

contacts as (
  select
    customer_key,
    date_key // 100 as month_key,
    count(*) as contacts,
    count(*) filter (where is_abandoned) as contacts_abandoned,
    sum(wait_seconds) as wait_seconds
  from {{ ref('fct_contact') }}
  where customer_key > 0 and direction = 'in' {{ only_affected('customer_key', 'affected_activity', 'and') }}
  group by customer_key, date_key // 100
),

tickets as (
  select
    customer_key,
    created_date_key // 100 as month_key,
    count(*) as tickets,
    count(*) filter (where is_complaint) as complaints,
    count(*) filter (where not is_resolution_met) as tickets_late,
    count(*) filter (where reopen_count > 0) as tickets_reopened
  from {{ ref('fct_ticket') }}
  where customer_key > 0 {{ only_affected('customer_key', 'affected_activity', 'and') }}
  group by customer_key, created_date_key // 100
)

select
  customer_key,
  month_key,
  customer.city_code,
  customer.branch_key,
  {{ customer_profile_key('customer.kind', 'customer.key_level', 'customer.monthly_fee_fen') }} as customer_profile_key,
  coalesce(contacts.contacts, 0) as contacts,
  coalesce(contacts.contacts_abandoned, 0) as contacts_abandoned,
  coalesce(contacts.wait_seconds, 0) as wait_seconds,
  coalesce(tickets.tickets, 0) as tickets,
  coalesce(tickets.complaints, 0) as complaints,
  coalesce(tickets.tickets_late, 0) as tickets_late,
  coalesce(tickets.tickets_reopened, 0) as tickets_reopened
from contacts
full outer join tickets using (customer_key, month_key)
inner join (
  select * from {{ ref('dim_customer') }} {{ only_affected('customer_key', 'affected_activity') }}
) as customer using (customer_key)

{%- set facts, tickets = ref('fct_contact'), ref('fct_ticket') -%}
{{ config(materialized='changing', key='customer_key', affected='affected_activity') }}
-- Segment and churn band are those known when the month began: what is scored later makes no month anew.
{%- set months -%}
select
  customer_key * 1000000 + month_key as row_key,
  customer_key,
  {{ instant_of_local_us('epoch_us(make_date(month_key // 100, month_key % 100, 1))') }} as seen_at
from (
  select customer_key, date_key // 100 as month_key
  from {{ facts }}
  where customer_key > 0 and direction = 'in' {{ only_affected('customer_key', 'affected_activity', 'and') }}
  union
  select customer_key, created_date_key // 100
  from {{ tickets }}
  where customer_key > 0 {{ only_affected('customer_key', 'affected_activity', 'and') }}
) as active
{%- endset %}
with

standings as ({{ standings_of(months) }}),

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
  {{ customer_profile_key('customer.kind', 'customer.key_level', 'customer.monthly_fee_fen', 'coalesce(standing.customer_standing_key, 0)') }}
    as customer_profile_key,
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
left join standings as standing on customer_key * 1000000 + month_key = standing.row_key

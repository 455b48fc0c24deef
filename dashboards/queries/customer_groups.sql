-- Groups of customers: members now, a year of their running fees, contacts and complaints of the period. A customer who is in
-- several groups counts in each with a share, so that the groups add up to their customers.
with

members as (
  select
    bridge.customer_group_key,
    count(*) as members,
    sum(bridge.weight * customer.monthly_fee_fen) * 12 / 100 as yuan
  from bridge_customer_group as bridge
  inner join dim_customer as customer on bridge.customer_key = customer.customer_key
  where bridge.is_current and ($city is null or bridge.city_code = $city)
  group by bridge.customer_group_key
),

contacts as (
  select bridge.customer_group_key, sum(bridge.weight) as contacts
  from fct_contact as contact
  inner join bridge_customer_group as bridge
    on
      contact.customer_key = bridge.customer_key
      and contact.started_at >= bridge.valid_from
      and contact.started_at < bridge.valid_to
  where
    contact.date_key between $first and $last
    and contact.direction = 'in'
    and ($city is null or bridge.city_code = $city)
  group by bridge.customer_group_key
),

complaints as (
  select bridge.customer_group_key, sum(bridge.weight) as complaints
  from fct_ticket as ticket
  inner join bridge_customer_group as bridge
    on
      ticket.customer_key = bridge.customer_key
      and ticket.created_at >= bridge.valid_from
      and ticket.created_at < bridge.valid_to
  where
    ticket.created_date_key between $first and $last
    and ticket.is_complaint
    and ($city is null or bridge.city_code = $city)
  group by bridge.customer_group_key
)

select
  customer_group.code,
  customer_group.title,
  customer_group.city_code,
  coalesce(members.members, 0) as members,
  coalesce(contacts.contacts, 0) as contacts,
  coalesce(complaints.complaints, 0) as complaints,
  coalesce(members.yuan, 0) as yuan
from dim_customer_group as customer_group
left join members on customer_group.customer_group_key = members.customer_group_key
left join contacts on customer_group.customer_group_key = contacts.customer_group_key
left join complaints on customer_group.customer_group_key = complaints.customer_group_key
where members.members > 0 or contacts.contacts > 0 or complaints.complaints > 0
order by yuan desc, customer_group.code
limit $most

-- Which policy version applies: the first in order, as it stood when the ticket was created, all of whose conditions
-- match. Matched once per combination of what policies ask about, not per ticket.
with

tickets as {{ 'materialized' if is_increment() }} (
  select
    ticket.ticket_key,
    ticket.created_at,
    ticket.service_type_code,
    ticket.complaint_type_code,
    ticket.product_code,
    ticket.channel_code,
    ticket.priority,
    ticket.branch_key,
    coalesce(customer.key_level, 'none') <> 'none' as is_key
  from {{ ref('fct_ticket') }} as ticket
  left join {{ ref('dim_customer_version') }} as customer
    on
      ticket.customer_key = customer.customer_key
      and ticket.created_at >= customer.valid_from
      and ticket.created_at < customer.valid_to
  {{ only_affected('ticket.ticket_key', 'affected_tickets') }}
),

policies as (select * from {{ ref('dim_sla_policy') }} where is_active and not is_gone),

periods as (
  select valid_from as starts_at, coalesce(lead(valid_from) over (order by valid_from), timestamptz '9999-12-31') as ends_at
  from (select distinct valid_from from {{ ref('dim_sla_policy') }}) as changes
),

dated as (
  select ticket.*, period.starts_at as policies_of
  from tickets as ticket
  inner join periods as period on ticket.created_at >= period.starts_at and ticket.created_at < period.ends_at
),

combinations as (
  select distinct
    service_type_code, complaint_type_code, product_code, channel_code, priority, branch_key, is_key, policies_of
  from dated
),

service_tree as (
  select service_type_code, service_type_code as above from {{ ref('dim_service_type') }}
  union
  select service_type_code, parent_code from {{ ref('dim_service_type') }} where parent_code is not null
  union
  select service_type_code, top_code from {{ ref('dim_service_type') }}
),

matched as (
  select combination.*, policy.sla_policy_key, policy.version_number
  from combinations as combination
  inner join {{ ref('dim_branch') }} as branch on combination.branch_key = branch.branch_key
  inner join policies as policy
    on combination.policies_of >= policy.valid_from and combination.policies_of < policy.valid_to
  where
    (policy.service_type_code is null or (combination.service_type_code, policy.service_type_code) in (
      select (service_type_code, above) from service_tree
    ))
    and (
      policy.complaint_type_code is null
      or combination.complaint_type_code = policy.complaint_type_code
      or starts_with(combination.complaint_type_code, policy.complaint_type_code || '.')
    )
    and (policy.product_code is null or combination.product_code = policy.product_code)
    and (policy.channel_code is null or combination.channel_code = policy.channel_code)
    and (policy.priority is null or combination.priority = policy.priority)
    and (policy.is_key_customer is null or combination.is_key = policy.is_key_customer)
    and (policy.branch_key is null or policy.branch_key in (branch.branch_key, branch.city_key))
  qualify row_number() over (
    partition by
      combination.service_type_code, combination.complaint_type_code, combination.product_code,
      combination.channel_code, combination.priority, combination.branch_key, combination.is_key,
      combination.policies_of
    order by policy.sort_order
  ) = 1
)

select dated.ticket_key, matched.sla_policy_key, matched.version_number
from dated
inner join matched using (
  service_type_code, complaint_type_code, product_code, channel_code, priority, branch_key, is_key, policies_of
)

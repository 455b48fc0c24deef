{{ config(materialized='changing', key='contact_key', affected='affected_contacts') }}
with

contacts as (
  select * from {{ ref('stg_lake__contacts') }}
  {{ only_affected('contact_key', 'affected_contacts') }}
),

visits as (select * from {{ ref('int_contact_centre__visits_linked') }}),

customers as (
  select customer_key from {{ ref('stg_lake__customers') }}
  {% if is_increment() %}where customer_key in (select customer_key from contacts){% endif %}
),

calls as (
  select * from {{ ref('stg_lake__calls') }}
  {{ only_affected('contact_key', 'affected_contacts') }}
),

-- The exceptions alone: most are the first on their matter, and nobody asks again.
repeats as (
  select * from {{ ref('int_contact_centre__repeats_found') }}
  where not is_first_contact or not coalesce(has_no_repeat, true)
),

standings as (select * from {{ ref('int_contact_centre__standings_found') }}),

with_ticket as (
  select distinct contact_key from {{ ref('stg_lake__tickets') }}
  where contact_key is not null {{ only_affected('contact_key', 'affected_contacts', 'and') }}
),

joined as (
  select
    contact.*,
    visit.visits,
    visit.queue_key,
    visit.agent_key as answering_agent_key,
    visit.wait_seconds,
    visit.talk_seconds,
    visit.hold_seconds,
    visit.wrap_up_seconds,
    call.ivr_seconds,
    coalesce(
      repeated.is_first_contact,
      contact.customer_key is not null and contact.direction = 'in' and contact.outcome <> 'blocked'
    ) as is_first_contact,
    case
      when repeated.contact_key is not null then repeated.has_no_repeat
      -- NULL until the seven days are over.
      when
        contact.customer_key is not null
        and contact.direction = 'in'
        and contact.outcome <> 'blocked'
        and epoch_us(contact.started_at) + {{ seven_days_us() }} <= ({{ last_asked_us() }})
        then true
    end as has_no_repeat,
    -- A contact that queued ended as its last visit did; one that never did, as it was recorded.
    case
      when visit.visits is null then contact.outcome
      when visit.exit_class in ('answered', 'abandoned') then visit.exit_class
      when visit.exit_class = 'unknown' then 'unknown'
      else 'other'
    end as final_outcome
  from contacts as contact
  left join visits as visit on contact.contact_key = visit.contact_key
  left join calls as call on contact.contact_key = call.contact_key
  left join repeats as repeated on contact.contact_key = repeated.contact_key
),

facts as (
  select
    contact.contact_key,
    contact.channel_code,
    coalesce(contact.service_type_code, 'unknown') as service_type_code,
    coalesce(contact.product_code, 'unknown') as product_code,
    coalesce(branch.branch_key, -1) as branch_key,
    coalesce(branch.city_code, 'unknown') as city_code,
    coalesce(township.township_code, 'unknown') as township_code,
    {{ member('contact.customer_key', 'customer.customer_key') }} as customer_key,
    coalesce(contact.queue_key, 0) as queue_key,
    coalesce(nullif(contact.answering_agent_key, 0), {{ member('contact.agent_key', 'agent.agent_key') }}) as agent_key,
    {{ local_date_key('contact.started_at') }} as date_key,
    {{ local_half_hour_key('contact.started_at') }} as half_hour_key,
    contact.started_at,
    contact.ended_at,
    contact.direction,
    contact.final_outcome as outcome,
    contact.final_outcome = 'answered' as is_answered,
    contact.final_outcome = 'abandoned' as is_abandoned,
    contact.final_outcome = 'ended_in_ivr' as is_ended_in_ivr,
    contact.final_outcome = 'blocked' as is_blocked,
    contact.is_self_served,
    coalesce(contact.ivr_seconds, 0) > 0 or contact.final_outcome = 'ended_in_ivr' as is_in_ivr,
    cast(coalesce(contact.visits, 0) as integer) as visits,
    coalesce(contact.wait_seconds, 0) as wait_seconds,
    coalesce(contact.ivr_seconds, 0) as ivr_seconds,
    coalesce(contact.talk_seconds, 0) as talk_seconds,
    coalesce(contact.hold_seconds, 0) as hold_seconds,
    coalesce(contact.wrap_up_seconds, 0) as wrap_up_seconds,
    coalesce(contact.is_first_contact, false) as is_first_contact,
    contact.has_no_repeat,
    contact.contact_key in (select contact_key from with_ticket) as has_ticket,
    coalesce(standing.customer_standing_key, 0) as customer_standing_key,
    contact.source
  from joined as contact
  left join {{ ref('dim_branch') }} as branch on branch.branch_key = coalesce(contact.branch_key, 0)
  left join {{ ref('dim_agent') }} as agent on contact.agent_key = agent.agent_key
  left join customers as customer on contact.customer_key = customer.customer_key
  left join standings as standing on contact.contact_key = standing.contact_key
  left join {{ ref('stg_lake__townships') }} as township on contact.township_key = township.township_key
)

select
  *,
  cast({{ contact_flags_key('direction', 'outcome', 'is_self_served', 'is_in_ivr', 'has_ticket', 'is_first_contact') }} as smallint)
    as contact_flags_key
from facts

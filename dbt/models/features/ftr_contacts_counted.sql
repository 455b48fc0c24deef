-- Columns that a later event may change (repeats, tickets opened since) are not read.
with

contacts as (
  select
    contact.customer_key,
    contact.channel_code,
    service_type.top_code,
    contact.started_at,
    contact.is_abandoned,
    contact.is_self_served,
    contact.wait_seconds,
    channel.is_written,
    late.known_from
  from {{ ref('fct_contact') }} as contact
  inner join {{ ref('dim_channel') }} as channel on contact.channel_code = channel.channel_code
  inner join {{ ref('dim_service_type') }} as service_type
    on contact.service_type_code = service_type.service_type_code
  left join {{ ref('ftr_late_contacts') }} as late on contact.contact_key = late.row_key
  where contact.customer_key <> 0 and contact.direction = 'in' and {{ is_drawn('contact.customer_key') }}
),

seen as (
  select
    day.as_of,
    contact.*,
    {{ freshness('contact.started_at', 'day.midnight') }} as fresh,
    greatest(contact.wait_seconds - 60, 0) / 60.0 as minutes_beyond_first,
    {{ within_days('contact.started_at', 'day.midnight', 30) }} as is_30d,
    {{ within_days('contact.started_at', 'day.midnight', 90) }} as is_90d,
    {{ days_between('contact.started_at', 'day.midnight') }} as days_ago
  from contacts as contact
  inner join {{ ref('feature_dates') }} as day
    on contact.started_at < day.midnight and {{ within_days('contact.started_at', 'day.midnight', 365) }}
  where {{ was_known('contact.known_from', 'day.midnight') }}
)

select
  as_of,
  customer_key,
  count(*) filter (where is_30d) as contacts_30d,
  count(*) filter (where is_90d) as contacts_90d,
  count(*) as contacts_365d,
  count(*) filter (where is_90d and channel_code = 'voice') as calls_90d,
  count(*) filter (where is_90d and (is_written or channel_code like 'web%')) as online_contacts_90d,
  count(*) filter (where is_90d and is_self_served) as self_served_90d,
  count(*) filter (where is_90d and is_abandoned) as abandoned_90d,
  count(*) filter (where is_90d and top_code = 'fee_query') as fee_queries_90d,
  count(*) filter (where is_90d and top_code = 'order') as orders_90d,
  count(*) filter (where is_90d and top_code in ('consultation', 'query')) as consultations_90d,
  count(*) filter (where is_90d and top_code = 'complaint') as complaint_contacts_90d,
  coalesce(sum(minutes_beyond_first) filter (where is_90d), 0) as waited_minutes_90d,
  coalesce(max(wait_seconds) filter (where is_90d), 0) / 60.0 as longest_wait_minutes_90d,
  sum(minutes_beyond_first * fresh) as fresh_waited_minutes,
  coalesce(sum(fresh) filter (where is_abandoned), 0) as fresh_abandoned,
  coalesce(sum(fresh) filter (where top_code = 'complaint'), 0) as fresh_complaint_contacts,
  min(days_ago) as days_since_contact
from seen
group by as_of, customer_key

with

calls as (
  select
    entry_key,
    count(*) as attempts,
    bool_or(outcome in ('accepted', 'refused', 'undecided', 'callback', 'do_not_call')) as is_reached,
    bool_or(outcome = 'accepted') as is_accepted,
    min(called_at) as first_called_at,
    sum(talk_seconds) as talk_seconds
  from {{ ref('stg_lake__call_attempts') }}
  group by entry_key
),

-- Both arms are watched from the same instant, whether or not anybody was reached: intention to treat.
watched as (
  select
    entry.entry_key,
    entry.customer_key,
    campaign.goal,
    offer.product_code,
    offer.margin_fen,
    campaign.approved_at as watched_from,
    campaign.approved_at + to_days(campaign.window_days) as watched_until
  from {{ ref('stg_lake__call_list_entries') }} as entry
  inner join {{ ref('dim_campaign') }} as campaign on entry.campaign_key = campaign.campaign_key
  inner join {{ ref('stg_lake__offers') }} as offer on entry.offer_code = offer.offer_code
  where campaign.approved_at is not null
),

subscribed as (
  select
    watched.entry_key,
    min(subscription.started_at) as converted_at
  from watched
  inner join {{ ref('stg_lake__accounts') }} as account on watched.customer_key = account.customer_key
  inner join {{ ref('stg_lake__subscriptions') }} as subscription
    on
      account.account_key = subscription.account_key
      and watched.product_code = subscription.product_code
      and subscription.started_at >= watched.watched_from
      and subscription.started_at < watched.watched_until
  where watched.goal = 'subscribe'
  group by watched.entry_key
),

stayed as (
  select watched.entry_key
  from watched
  inner join {{ ref('stg_lake__customers') }} as customer on watched.customer_key = customer.customer_key
  where
    watched.goal = 'stay'
    and (customer.left_at is null or customer.left_at >= watched.watched_until or customer.left_at < watched.watched_from)
)

select
  entry.entry_key,
  entry.campaign_key,
  entry.offer_code,
  offer.name_zh as offer_name_zh,
  offer.name_en as offer_name_en,
  entry.customer_key,
  branch.branch_key,
  branch.city_code,
  entry.arm,
  entry.state,
  entry.rank,
  cast(strftime(entry.planned_on, '%Y%m%d') as integer) as date_key,
  entry.score,
  entry.value_fen,
  entry.listed_at,
  entry.arm = 'call' as is_assigned,
  coalesce(calls.attempts, 0) as attempts,
  coalesce(calls.attempts, 0) > 0 as is_called,
  coalesce(calls.is_reached, false) as is_reached,
  coalesce(calls.is_accepted, false) as is_accepted,
  calls.first_called_at,
  coalesce(calls.talk_seconds, 0) as talk_seconds,
  coalesce(entry.outcome, 'none') as outcome,
  coalesce(entry.stop_reason, 'none') as stop_reason,
  subscribed.entry_key is not null or stayed.entry_key is not null as is_converted,
  subscribed.converted_at,
  cast(
    case when subscribed.entry_key is not null or stayed.entry_key is not null then offer.margin_fen else 0 end
    as bigint
  ) as margin_fen,
  cast(coalesce(calls.attempts, 0) * campaign.cost_per_call_fen as bigint) as cost_fen
from {{ ref('stg_lake__call_list_entries') }} as entry
inner join {{ ref('dim_campaign') }} as campaign on entry.campaign_key = campaign.campaign_key
inner join {{ ref('stg_lake__offers') }} as offer on entry.offer_code = offer.offer_code
inner join {{ ref('dim_branch') }} as branch on entry.branch_key = branch.branch_key
left join calls on entry.entry_key = calls.entry_key
left join subscribed on entry.entry_key = subscribed.entry_key
left join stayed on entry.entry_key = stayed.entry_key
-- Taken off before the approval: it was not on the list that was approved. Taken off later (the campaign ended first):
-- it stays in the trial, since who was called is not drawn by lot.
where entry.state <> 'removed' or entry.ended_at >= campaign.approved_at

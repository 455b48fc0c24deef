-- A stay is cut wherever the customer joins or leaves another group, so that one weight holds for all of a row's time.
with

stays as (
  select
    member.customer_key,
    member.customer_group_key,
    customer.city_code,
    member.joined_at,
    coalesce(member.left_at, timestamptz '9999-12-31 00:00:00+00') as left_at
  from {{ ref('stg_lake__customer_group_members') }} as member
  inner join {{ ref('stg_lake__customer_groups') }} as customer_group
    on member.customer_group_key = customer_group.customer_group_key
  inner join {{ ref('dim_customer') }} as customer on member.customer_key = customer.customer_key
  where member.left_at is null or member.left_at > member.joined_at
),

cuts as (
  select customer_key, joined_at as cut_at from stays
  union
  select customer_key, left_at from stays
),

stretches as (
  select
    customer_key,
    cut_at as valid_from,
    lead(cut_at) over (partition by customer_key order by cut_at) as valid_to
  from cuts
),

held as (
  -- Once a group, also where a merge of two customers left stays that overlap.
  select distinct
    stay.customer_key, stay.customer_group_key, stay.city_code, stretch.valid_from, stretch.valid_to
  from stretches as stretch
  inner join stays as stay
    on
      stretch.customer_key = stay.customer_key
      and stretch.valid_from >= stay.joined_at
      and stretch.valid_to <= stay.left_at
)

select
  customer_key,
  customer_group_key,
  city_code,
  valid_from,
  valid_to,
  valid_to = timestamptz '9999-12-31 00:00:00+00' as is_current,
  1.0 / count(*) over (partition by customer_key, valid_from) as weight
from held

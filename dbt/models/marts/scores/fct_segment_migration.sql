with

history as (
  select customer_id as customer_key, as_of, cast(segment as integer) as segment
  from {{ model_rows('segment_history', {'customer_id': 'bigint', 'as_of': 'date', 'segment': 'bigint'}) }}
),

dates as (
  select as_of, lead(as_of) over (order by as_of) as next_as_of
  from (select distinct as_of from history) as known
),

earlier as (
  select history.customer_key, dates.as_of, dates.next_as_of, history.segment
  from history
  inner join dates on history.as_of = dates.as_of
  where dates.next_as_of is not null
),

later as (
  select history.customer_key, dates.as_of, dates.next_as_of, history.segment
  from history
  inner join dates on history.as_of = dates.next_as_of
)

-- −1 stands for outside: new before, lost after.
select
  coalesce(earlier.as_of, later.as_of) as from_as_of,
  coalesce(earlier.next_as_of, later.next_as_of) as to_as_of,
  coalesce(earlier.segment, -1) as from_segment,
  coalesce(later.segment, -1) as to_segment,
  customer.city_code,
  count(*) as customers
from earlier
full outer join later on earlier.customer_key = later.customer_key and earlier.as_of = later.as_of
inner join {{ ref('dim_customer') }} as customer
  on customer.customer_key = coalesce(earlier.customer_key, later.customer_key)
group by all

with

history as (
  select customer_id as customer_key, as_of, cast(segment as integer) as segment
  from {{ model_rows('segment_history', {'customer_id': 'bigint', 'as_of': 'date', 'segment': 'bigint'}) }}
),

newest as (select max(as_of) as to_as_of from history),

pair as (
  select newest.to_as_of, max(history.as_of) as from_as_of
  from newest
  inner join history on history.as_of < newest.to_as_of
  group by newest.to_as_of
),

earlier as (select history.* from history inner join pair on history.as_of = pair.from_as_of),

later as (select history.* from history inner join pair on history.as_of = pair.to_as_of)

-- −1 stands for outside: new before, lost after.
select
  customer.customer_key,
  pair.from_as_of,
  pair.to_as_of,
  coalesce(earlier.segment, -1) as from_segment,
  coalesce(later.segment, -1) as to_segment,
  customer.city_code
from earlier
full outer join later on earlier.customer_key = later.customer_key
inner join {{ ref('dim_customer') }} as customer
  on customer.customer_key = coalesce(earlier.customer_key, later.customer_key)
cross join pair

-- Attributes that change carry no history in the store: for these the version known at the time is taken, by when it
-- was loaded; for days before the first load, the first load's.
with

dates as (select * from {{ ref('feature_dates') }}),

versions as (select * from {{ ref('ftr_customer_versions') }})

select
  day.as_of,
  day.midnight,
  customer.customer_key,
  branch.city_code,
  customer.kind,
  coalesce(version.key_level, customer.key_level) as key_level,
  customer.birth_year,
  customer.registered_at
from {{ ref('stg_lake__customers') }} as customer
inner join dates as day
  on customer.registered_at < day.midnight and (customer.left_at is null or customer.left_at >= day.midnight)
inner join {{ ref('dim_branch') }} as branch on branch.branch_key = coalesce(customer.branch_key, 0)
left join versions as version
  on customer.customer_key = version.customer_key and version.known_from < day.midnight and version.known_to >= day.midnight
where customer.merged_into_key is null

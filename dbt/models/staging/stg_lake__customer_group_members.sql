{%- do source('lake', 'customer_group_members') -%}
{%- set files = lake_files('customer_group_members', current_loads()) if execute else {} -%}
{% if files.values() | sum(start=[]) %}
select
  id as membership_key,
  group_id as customer_group_key,
  customer_id as customer_key,
  joined_at,
  left_at
from {{ current_rows('customer_group_members') }}
where deleted_at is null
{% else %}
-- A lake of before there were groups.
select
  cast(null as bigint) as membership_key,
  cast(null as bigint) as customer_group_key,
  cast(null as bigint) as customer_key,
  cast(null as timestamptz) as joined_at,
  cast(null as timestamptz) as left_at
where false
{% endif %}

{%- do source('lake', 'customer_groups') -%}
{%- set files = lake_files('customer_groups', current_loads()) if execute else {} -%}
{% if files.values() | sum(start=[]) %}
select
  id as customer_group_key,
  code,
  name,
  unit_id as branch_key,
  is_active,
  created_at
from {{ current_rows('customer_groups') }}
where deleted_at is null
{% else %}
-- A lake of before there were groups.
select
  cast(null as bigint) as customer_group_key,
  cast(null as varchar) as code,
  cast(null as varchar) as name,
  cast(null as bigint) as branch_key,
  cast(null as boolean) as is_active,
  cast(null as timestamptz) as created_at
where false
{% endif %}

-- Proposed additions to and removals from the key customers; a person confirms each in the CRM.
select
  change.customer_id as customer_key,
  customer.city_code,
  change.from_level,
  change.to_level,
  change.score,
  change.revenue_points,
  change.outlook_points,
  change.size_points,
  change.breadth_points,
  change.loyalty_points,
  change.version,
  change.as_of
from {{ model_rows('key_changes', {
  'customer_id': 'bigint', 'from_level': 'varchar', 'to_level': 'varchar', 'score': 'double',
  'revenue_points': 'double', 'outlook_points': 'double', 'size_points': 'double', 'breadth_points': 'double',
  'loyalty_points': 'double', 'version': 'varchar', 'as_of': 'date',
}) }} as change
inner join {{ ref('dim_customer') }} as customer on change.customer_id = customer.customer_key

-- The mini-dimension: what changes often about customers, as combinations instead of versions of each customer.
select
  {{ customer_profile_key('kinds.kind', 'levels.key_level', 'bands.fee_from', 'standing.customer_standing_key') }}
    as customer_profile_key,
  kinds.kind,
  levels.key_level,
  bands.value_band,
  bands.fee_from as value_from_fen,
  standing.segment,
  standing.churn_band
from (values {% for kind in customer_kinds() %}('{{ kind }}'){{ ', ' if not loop.last }}{% endfor %}) as kinds (kind)
cross join (values {% for level in key_levels() %}('{{ level }}'), {% endfor %}('unknown')) as levels (key_level)
cross join (
  values {% for first, code in value_bands() %}({{ first }}, '{{ code }}'){{ ', ' if not loop.last }}{% endfor %}
) as bands (fee_from, value_band)
cross join {{ ref('dim_customer_standing') }} as standing

-- The province's figure: a city's reader sees its own rows of fct_call_list_entry instead.
select
  gate.campaign_key,
  gate.version,
  gate.gate,
  gate.position,
  gate.customers,
  'province' as city_code
from {{ ref('stg_lake__list_gates') }} as gate
inner join {{ ref('dim_campaign') }} as campaign
  on gate.campaign_key = campaign.campaign_key and gate.version = campaign.version

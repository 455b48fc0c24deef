select
  campaign.campaign_key,
  campaign.campaign_code as code,
  campaign.name as title,
  campaign.purpose,
  campaign.goal,
  campaign.state,
  campaign.version,
  campaign.starts_on,
  campaign.ends_on,
  campaign.holdout_percent,
  campaign.window_days,
  campaign.cost_per_call_fen,
  campaign.approved_at,
  coalesce({{ last_snapshot() }} >= campaign.approved_at + to_days(campaign.window_days), false) as is_window_over
from {{ ref('stg_lake__campaigns') }} as campaign

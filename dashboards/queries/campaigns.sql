-- Campaigns that were approved, newest first.
select campaign_key, code, title, goal, state, starts_on, ends_on, holdout_percent, window_days, approved_at, is_window_over
from dim_campaign
where approved_at is not null
order by campaign_key desc

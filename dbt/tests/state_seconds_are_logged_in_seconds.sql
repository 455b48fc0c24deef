select agent_key, date_key, state_seconds, logged_in_seconds
from {{ ref('int_contact_centre__agent_days_measured') }}
where source = 'captured' and abs(state_seconds - logged_in_seconds) > 0.001

select agent_key, date_key, state_seconds, logged_in_seconds
from {{ rows_that_came(ref('int_contact_centre__agent_days_measured')) }} as agent_days
where source = 'captured' and abs(state_seconds - logged_in_seconds) > 0.001

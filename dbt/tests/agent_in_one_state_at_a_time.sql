-- Of what this system captures; recorded history is exempt (its overlap_count were resolved by rank).
select agent_key, date_key, overlap_count
from {{ rows_that_came(ref('int_contact_centre__agent_days_measured')) }} as agent_days
where source = 'captured' and overlap_count > 0

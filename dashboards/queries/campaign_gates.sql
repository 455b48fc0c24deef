-- Candidates that each gate of the newest list took out (the whole province).
select gate, position, customers
from fct_list_gate
where campaign_key = $campaign and customers > 0
order by position

-- No attempt may belong to a customer who is held out of that campaign.
select entry_key
from {{ ref('fct_call_list_entry') }}
where arm = 'holdout' and is_called

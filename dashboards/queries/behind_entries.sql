-- The entries of a campaign's list behind a mark, and how many there are; a parameter that is NULL filters nothing.
with picked as (
  select *
  from fct_call_list_entry
  where
    campaign_key = $campaign
    and ($city is null or city_code = $city)
    and ($assigned is null or is_assigned = cast($assigned as boolean))
    and ($step is null or case $step
      when 'called' then is_called
      when 'reached' then is_reached
      when 'accepted' then is_accepted
      else is_assigned
    end)
    -- The list is shown as a whole, whatever the page's period.
    and $first <= $last
)

select
  (select count(*) from picked) as total,
  picked.customer_key,
  picked.city_code as city,
  picked.rank,
  picked.attempts,
  picked.first_called_at,
  picked.is_reached,
  picked.is_accepted,
  picked.is_converted
from picked
order by picked.rank, picked.entry_key
limit 500

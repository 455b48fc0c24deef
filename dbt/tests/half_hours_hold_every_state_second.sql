-- Time of agents, clipped to half-hours, is neither lost nor doubled.
with

halves as (select date_key, sum(occupied_seconds) as seconds from {{ ref('fct_seat_half_hour') }} {{ only_affected('date_key', 'affected_days') }} group by date_key),
states as (select date_key, sum(seconds) as seconds from {{ ref('fct_agent_state') }} {{ only_affected('date_key', 'affected_days') }} group by date_key)

select states.date_key, states.seconds, halves.seconds as seconds_of_halves
from states
left join halves on states.date_key = halves.date_key
where abs(states.seconds - coalesce(halves.seconds, 0)) > 0.01

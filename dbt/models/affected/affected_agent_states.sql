{%- set states, agents, seats = ref('stg_lake__agent_states'), ref('stg_lake__agents'), ref('stg_lake__seats') -%}
{%- set branches = changed_branches() -%}
{% if not is_increment() %}
{{ nothing_affected({'agent_state_id': 'bigint'}) }}
{% else %}
select agent_state_id from {{ changes_of(states) }}
union
-- A state still open lasts until the load that saw it.
select agent_state_id from {{ states }} where ended_at is null and source = 'captured'
{%- set recorded = 'select agent_key, source from ' ~ changes_of(states) ~ " where source <> 'captured'" %}
{% if finds(recorded) %}
union
-- Recorded history is resolved by rank among all that the agent's system recorded.
select agent_state_id
from {{ states }}
where source <> 'captured' and (agent_key, source) in (select (agent_key, source) from ({{ recorded }}) as changed)
{% endif %}
{%- set moved_agents -%}
select agent_key from {{ changes_of(agents) }}
union all
select agent_key from {{ agents }} where branch_key in ({{ branches }})
{%- endset %}
{% if finds(moved_agents) %}
union
select agent_state_id from {{ states }} where agent_key in ({{ moved_agents }})
{% endif %}
{%- set moved_seats -%}
select seat_key from {{ changes_of(seats) }}
union all
select seat_key from {{ seats }} where branch_key in ({{ branches }})
{%- endset %}
{% if finds(moved_seats) %}
union
select agent_state_id from {{ states }} where seat_key in ({{ moved_seats }})
{% endif %}
{% endif %}

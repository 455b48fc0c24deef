{%- set shifts, states = ref('stg_lake__shifts'), ref('fct_agent_state') -%}
{%- set agents, seats = ref('stg_lake__agents'), ref('stg_lake__seats') -%}
{%- set branches = changed_branches() -%}
{% if not is_increment() %}
{{ nothing_affected({'date_key': 'integer'}) }}
{% else %}
{%- set moved -%}
select shift_key from {{ changes_of(shifts) }} where false
{%- set moved_agents -%}
select agent_key from {{ changes_of(agents) }}
union all
select agent_key from {{ agents }} where branch_key in ({{ branches }})
{%- endset %}
{% if finds(moved_agents) %}
union
select shift_key from {{ shifts }} where agent_key in ({{ moved_agents }})
{% endif %}
{%- set moved_seats -%}
select seat_key from {{ changes_of(seats) }}
union all
select seat_key from {{ seats }} where branch_key in ({{ branches }})
{%- endset %}
{% if finds(moved_seats) %}
union
select shift_key from {{ shifts }} where seat_key in ({{ moved_seats }})
{% endif %}
{%- endset %}
with

touched as (
  select starts_at, ends_at from {{ changes_of(shifts) }}
  union all
  select starts_at, ends_at from {{ shifts }} where shift_key in ({{ moved }})
),

-- What was still to come when the loads before were taken has begun since.
seen as (
  select max(cast(load.snapshot_at as timestamptz)) as seen_at
  from read_json('{{ lake_glob() }}/_ledger/*.json', columns = {snapshot_at: 'varchar', load_id: 'varchar'}) as load
  cross join {{ building() }} as building
  where list_contains(building.all_loads, load.load_id) and not list_contains(building.loads, load.load_id)
),

stretches as (
  select starts_at, ends_at from touched
  union all
  select seen_at, {{ last_snapshot() }} from seen
)

select distinct {{ date_key('cast(day as date)') }} as date_key
from (
  select unnest(range({{ local_date('starts_at') }}, {{ local_date('ends_at') }} + interval 1 day, interval 1 day)) as day
  from stretches
) as days
union
select date_key from {{ changes_of(states) }}
{% endif %}

{#-
  Figures of the KPI dictionary per group (warehouse/kpi.py fills in what follows from its own tables, never text of a user).
  table        the kpi table that carries the dimensions     dimensions  [(name, SQL, join)]
  measures     additive measures to sum                      kpis        [(code, SQL over the sums)]
  conditions   filters, as SQL with $parameters              asked       which figures of the marts themselves (ASKED)
-#}

{#- One row a group of `grouping`; the caller gives the figures. -#}
{%- macro counted(source, grouping, joins, conditions) %}
  select
    {%- for dimension in grouping %}
    {{ dimension.sql }} as {{ dimension.name }},
    {%- endfor %}
    {{ caller() | trim }}
  from {{ source }} as fact
  {%- for join in joins %}
  {{ join }}
  {%- endfor %}
  where true
    {%- for condition in conditions %}
    and {{ condition }}
    {%- endfor %}
  {%- if grouping %}
  group by all
  {%- endif %}
{%- endmacro %}

{#- A figure of its own beside the sums of the same group. -#}
{%- macro beside(name, grouping) %}
  left join {{ name }} on true
  {%- for dimension in grouping %} and sums.{{ dimension.name }} is not distinct from {{ name }}.{{ dimension.name }}{% endfor %}
{%- endmacro %}

{%- set answered_by_somebody = ['fact.is_answered', 'fact.agent_key > 0'] %}
{%- set followed = 'contained_followed' in asked or 'contained_reached' in asked %}
{%- set active_at_the_end = [
  '($period_to is null or fact.registered_date <= $period_to)',
  '(fact.left_date is null or fact.left_date > $period_to)',
] %}
with sums as (
  {%- call counted(table, dimensions, joins, conditions + (['not fact.is_seat_time'] if without_seat_time else [])) %}
    {%- for measure in measures %}
    coalesce(sum(fact.{{ measure }}), 0) as {{ measure }},
    {%- endfor %}
    count(*) as row_count
  {%- endcall %}
)
{%- if 'agents_seen' in asked %},

agents as (
  {%- call counted('fct_queue_visit', dimensions, joins, answered_by_somebody + conditions) %}
    count(distinct fact.agent_key) as agents_seen
  {%- endcall %}
)
{%- endif %}
{%- if followed %},

-- Of contacts whom the IVR served those whose 24 hours are over; by the whole data's end, whoever asks.
contained_counts as (
  {%- call counted('fct_self_service', dimensions, joins, ['fact.started_at + interval 24 hour <= $data_through'] + conditions) %}
    count(*) as contained_followed,
    count(fact.answered_at) as contained_reached
  {%- endcall %}
)
{%- endif %}
{%- if 'customers' in asked %},

customer_counts as (
  {%- call counted('kpi_customer_stay', place_dimensions, place_joins, active_at_the_end + place_conditions) %}
    cast(coalesce(sum(fact.customers), 0) as bigint) as customers
  {%- endcall %}
)
{%- endif %}
{%- if 'backlog' in asked %},

tickets_then_open as (
  select *, created_date_key as date_key, 0 as queue_key, 0 as agent_key
  from fct_ticket
  where
    ($period_to is null or created_at < $backlog_at)
    and (is_open or ($period_to is not null and closed_at >= $backlog_at))
),

backlogs as (
  {%- call counted('tickets_then_open', dimensions, joins, timeless_conditions) %}
    count(*) as backlog
  {%- endcall %}
)
{%- endif %}

select
  {%- for dimension in dimensions %}
  sums.{{ dimension.name }},
  {%- endfor %}
  {%- for kpi in kpis %}
  {% if kpi.unit == 'count' %}cast({{ kpi.sql }} as bigint){% else %}{{ kpi.sql }}{% endif %} as {{ kpi.code }}{{ ',' if not loop.last }}
  {%- endfor %}
from (
  select
    sums.*
    {%- if 'agents_seen' in asked %},
    coalesce(agents.agents_seen, 0) as agents_seen
    {%- endif %}
    {%- if followed %},
    coalesce(contained_counts.contained_followed, 0) as contained_followed,
    coalesce(contained_counts.contained_reached, 0) as contained_reached
    {%- endif %}
    {%- if 'customers' in asked %},
    customer_counts.customers
    {%- endif %}
    {%- if 'backlog' in asked %},
    coalesce(backlogs.backlog, 0) as backlog
    {%- endif %}
  from sums
  {%- if 'agents_seen' in asked %}{{ beside('agents', dimensions) }}{% endif %}
  {%- if followed %}{{ beside('contained_counts', dimensions) }}{% endif %}
  {%- if 'customers' in asked %}{{ beside('customer_counts', place_dimensions) }}{% endif %}
  {%- if 'backlog' in asked %}{{ beside('backlogs', dimensions) }}{% endif %}
) as sums
{%- if dimensions %}
order by {% for dimension in dimensions %}sums.{{ dimension.name }} nulls first{{ ', ' if not loop.last }}{% endfor %}
{%- endif %}

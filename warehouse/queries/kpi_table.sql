{#-
  Figures of the KPI dictionary per group (warehouse/kpi.py fills in what follows from its own tables, never text of a user).
  table        the kpi table that carries the dimensions     dimensions  [(name, SQL, join)]
  measures     additive measures to sum                      kpis        [(code, SQL over the sums)]
  conditions   filters, as SQL with $parameters              asked       which of agents_seen, customers, backlog
-#}
{%- macro joins() %}
{%- for join in dimension_joins %}
  {{ join }}
{%- endfor %}
{%- endmacro %}
{%- macro grouped(counted) %}
{%- for dimension in counted %}
    {{ dimension.sql }} as {{ dimension.name }},
{%- endfor %}
{%- endmacro %}
with sums as (
  select
    {{- grouped(dimensions) }}
    {%- for measure in measures %}
    coalesce(sum(fact.{{ measure }}), 0) as {{ measure }},
    {%- endfor %}
    count(*) as row_count
  from {{ table }} as fact
  {{- joins() }}
  where true
    {%- for condition in conditions %}
    and {{ condition }}
    {%- endfor %}
    {%- if without_seat_time %}
    and not fact.is_seat_time
    {%- endif %}
  {%- if dimensions %}
  group by all
  {%- endif %}
)
{%- if 'agents_seen' in asked %},

agents as (
  select
    {{- grouped(dimensions) }}
    count(distinct fact.agent_key) as agents_seen
  from fct_queue_visit as fact
  {{- joins() }}
  where fact.is_answered and fact.agent_key <> 0
    {%- for condition in conditions %}
    and {{ condition }}
    {%- endfor %}
  {%- if dimensions %}
  group by all
  {%- endif %}
)
{%- endif %}
{%- if 'customers' in asked %},

customer_counts as (
  select
    {{- grouped(place_dimensions) }}
    count(*) as customers
  from dim_customer as fact
  {%- for join in place_joins %}
  {{ join }}
  {%- endfor %}
  where fact.customer_key <> 0
    and ($period_to is null or fact.registered_date <= $period_to)
    and (fact.left_date is null or fact.left_date > $period_to)
    {%- for condition in place_conditions %}
    and {{ condition }}
    {%- endfor %}
  {%- if place_dimensions %}
  group by all
  {%- endif %}
)
{%- endif %}
{%- if 'backlog' in asked %},

backlogs as (
  select
    {{- grouped(dimensions) }}
    count(*) as backlog
  from (
    select *, created_date_key as date_key, 0 as queue_key, 0 as agent_key
    from fct_ticket
    where
      ($period_to is null or created_at < $backlog_at)
      and (is_open or ($period_to is not null and closed_at >= $backlog_at))
  ) as fact
  {{- joins() }}
  where true
    {%- for condition in timeless_conditions %}
    and {{ condition }}
    {%- endfor %}
  {%- if dimensions %}
  group by all
  {%- endif %}
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
    {%- if 'customers' in asked %},
    customer_counts.customers
    {%- endif %}
    {%- if 'backlog' in asked %},
    coalesce(backlogs.backlog, 0) as backlog
    {%- endif %}
  from sums
  {%- if 'agents_seen' in asked %}
  left join agents on true
    {%- for dimension in dimensions %} and sums.{{ dimension.name }} is not distinct from agents.{{ dimension.name }}{% endfor %}
  {%- endif %}
  {%- if 'customers' in asked %}
  left join customer_counts on true
    {%- for dimension in place_dimensions %} and sums.{{ dimension.name }} = customer_counts.{{ dimension.name }}{% endfor %}
  {%- endif %}
  {%- if 'backlog' in asked %}
  left join backlogs on true
    {%- for dimension in dimensions %} and sums.{{ dimension.name }} is not distinct from backlogs.{{ dimension.name }}{% endfor %}
  {%- endif %}
) as sums
{%- if dimensions %}
order by {% for dimension in dimensions %}sums.{{ dimension.name }} nulls first{{ ', ' if not loop.last }}{% endfor %}
{%- endif %}

-- For every additive figure, day by day. Seconds carry fractions: their sums differ in the last places.
{% set names = [] %}
{% for family in ['contacts', 'visits', 'completions', 'tickets', 'surveys', 'rejects', 'seats', 'shifts'] %}
  {% for name in measures()[family] if name not in names %}{% do names.append(name) %}{% endfor %}
{% endfor %}
{% set both = ['kpi_day', 'kpi_half_hour'] %}
with

{% for table in both %}
{{ table }}_sums as (
  select date_key, {% for name in names %}sum({{ name }}) as {{ name }}{{ ', ' if not loop.last }}{% endfor %}
  from {{ ref(table) }}
  {{ only_affected('date_key', 'affected_days') }}
  group by date_key
){{ ',' if not loop.last }}
{% endfor %}

select coalesce(days.date_key, halves.date_key) as date_key, days.offered, halves.offered as offered_of_halves
from kpi_day_sums as days
full outer join kpi_half_hour_sums as halves on days.date_key = halves.date_key
where
  days.date_key is null
  or halves.date_key is null
  {% for name in names %}
  or abs(days.{{ name }} - halves.{{ name }}) > {{ '0.01' if name.endswith('_seconds') or name == 'hours_to_resolve' else '0' }}
  {% endfor %}

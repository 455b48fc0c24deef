{#
  Business time by prefix sums: dim_work_calendar holds, per calendar and local day, how many seconds the calendar had
  been open before that day, and the day's windows. Elapsed business time is C(end) - C(start): two equality joins,
  whatever lies between, the same on every engine and equal to crm_api.sla to the microsecond.
#}

{# States in which a ticket's clocks stand still: out of our hands, done, or void (crm_api/sla/clocks.py). #}
{% macro clock_stops_in() -%}('pending', 'resolved', 'in_review', 'follow_up', 'closed', 'cancelled'){%- endmacro %}

{# Windows that a day may have; a test holds it. #}
{% macro day_windows() %}{{ return([1, 2, 3]) }}{% endmacro %}

{# C of an instant, in microseconds, read from its row of dim_work_calendar. #}
{% macro open_us_until(instant, day) -%}
({{ day }}.open_seconds_before * 1000000
{%- for number in day_windows() %} + greatest(
  least((epoch_us({{ instant }}) + {{ local_offset_us() }}) % 86400000000, {{ day }}.closes_{{ number }} * 1000000)
  - {{ day }}.opens_{{ number }} * 1000000, 0)
{%- endfor %})
{%- endmacro %}

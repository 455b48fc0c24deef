{%- set states, seats = ref('fct_agent_state'), ref('stg_lake__seats') -%}
{%- set days, windows, dates = ref('stg_lake__calendar_days'), ref('stg_lake__calendar_windows'), ref('dim_date') -%}
{%- set branches, before = changed_branches(), previous('fct_seat_half_hour') -%}
{% if not is_increment() %}
{{ nothing_affected({'date_key': 'integer'}) }}
{% else %}
with

span as (select min(date_key) as first_key, max(date_key) as last_key from {{ states }}),

-- A seat or a window that changed changes what was open on any day.
everything as (
  select (
    exists (select * from {{ changes_of(seats) }})
    or exists (select * from {{ changes_of(windows) }})
    or exists ({{ branches }})
  ) as is_touched
),

known as (select distinct date_key from {{ before }})

select date_key from {{ changes_of(states) }}
union
select {{ date_key('day') }} from {{ changes_of(days) }}
union
select date_key from known, span where date_key not between first_key and last_key
union
select dates.date_key
from {{ dates }} as dates, span, everything
where
  dates.date_key between span.first_key and span.last_key
  and (everything.is_touched or dates.date_key not in (select date_key from known))
{% endif %}

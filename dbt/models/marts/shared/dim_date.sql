{%- set day_kind -%}
coalesce(office.day_kind, named.day_kind, case when isodow(days.day) > 5 then 'weekend' else 'working' end)
{%- endset -%}
with

-- From a month before the first fact (for comparisons) to a year after the last (for forecasts and due dates).
bounds as (
  select
    cast(date_trunc('month', {{ local_date('min(first_at)') }} - interval 32 days) as date) as first_day,
    cast({{ local_date('max(last_end_at)') }} + interval 366 days as date) as last_day
  from {{ ref('int_shared__tables_spanned') }}
  where table_name <> 'ticket_events'
),

days as (
  select cast(day as date) as day
  from bounds, unnest(generate_series(first_day, last_day, interval 1 day)) as series (day)
),

-- The round-the-clock calendar names every holiday; the office calendar says what is worked.
named as (select * from {{ ref('stg_lake__calendar_days') }} where calendar_code = 'always'),
office as (select * from {{ ref('stg_lake__calendar_days') }} where calendar_code = 'office')

select
  {{ date_key('days.day') }} as date_key,
  days.day as date,
  year(days.day) as year,
  quarter(days.day) as quarter,
  month(days.day) as month,
  isoyear(days.day) as iso_year,
  weekofyear(days.day) as iso_week,
  isodow(days.day) as weekday,
  cast(date_trunc('week', days.day) as date) as week_start,
  cast(date_trunc('month', days.day) as date) as month_start,
  {{ day_kind }} as day_kind,
  {{ day_kind }} in ('working', 'make_up') as is_working_day,
  named.holiday_zh,
  named.holiday_en
from days
left join named on days.day = named.day
left join office on days.day = office.day

union all

-- The row of facts whose day is not known, e.g. refused rows of an import.
select 0, null, null, null, null, null, null, null, null, null, 'unknown', false, null, null

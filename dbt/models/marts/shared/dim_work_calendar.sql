with

weekly as (select * from {{ ref('stg_lake__calendar_windows') }}),

days as (
  select
    calendar.calendar_code,
    date.date_key,
    date.date,
    special.day_kind,
    -- A day without an entry follows its own weekday; an entry without a weekday is closed.
    case when special.calendar_code is null then date.weekday else special.follows_weekday end as follows_weekday
  from {{ ref('dim_date') }} as date
  cross join (select distinct calendar_code from weekly) as calendar
  left join {{ ref('stg_lake__calendar_days') }} as special
    on calendar.calendar_code = special.calendar_code and date.date = special.day
  where date.date_key > 0
),

numbered as (
  select
    *,
    row_number() over (partition by calendar_code, weekday order by opens_second) as window_number
  from weekly
),

weekdays as (
  select
    calendar_code,
    weekday,
    count(*) as windows,
    sum(closes_second - opens_second) as open_seconds
    {%- for number in day_windows() %},
    max(opens_second) filter (where window_number = {{ number }}) as opens_{{ number }},
    max(closes_second) filter (where window_number = {{ number }}) as closes_{{ number }}
    {%- endfor %}
  from numbered
  group by calendar_code, weekday
)

select
  days.calendar_code,
  days.date_key,
  days.date,
  coalesce(days.day_kind, case when days.follows_weekday > 5 then 'weekend' else 'working' end) as day_kind,
  days.follows_weekday,
  cast(coalesce(weekdays.windows, 0) as integer) as windows,
  cast(coalesce(weekdays.open_seconds, 0) as integer) as open_seconds,
  cast(
    coalesce(sum(weekdays.open_seconds) over (
      partition by days.calendar_code order by days.date rows between unbounded preceding and 1 preceding
    ), 0) as bigint
  ) as open_seconds_before
  {%- for number in day_windows() %},
  cast(coalesce(weekdays.opens_{{ number }}, 0) as bigint) as opens_{{ number }},
  cast(coalesce(weekdays.closes_{{ number }}, 0) as bigint) as closes_{{ number }}
  {%- endfor %}
from days
left join weekdays
  on days.calendar_code = weekdays.calendar_code and days.follows_weekday = weekdays.weekday

-- The stretches of one ticket up to the end of one clock, with the business time in each (prefix sums).
with

clock as (
  select * from fct_ticket_sla where ticket_key = $ticket_key and clock = $clock
),

stretches as (
  select
    span.state,
    span.branch_key,
    span.is_clock_running,
    span.started_at,
    least(coalesce(span.ended_at, clock.ended_at, now()), coalesce(clock.ended_at, now())) as ended_at,
    clock.calendar_code,
    clock.due_at,
    clock.target_seconds
  from fct_ticket_span as span
  inner join clock on span.ticket_key = clock.ticket_key
  where span.started_at < coalesce(clock.ended_at, now())
),

timed as (
  select
    stretch.*,
    (
    last_day.open_seconds_before * 1000000
    + greatest(least((epoch_us(stretch.ended_at) + 28800000000) % 86400000000, last_day.closes_1 * 1000000) - last_day.opens_1 * 1000000, 0)
    + greatest(least((epoch_us(stretch.ended_at) + 28800000000) % 86400000000, last_day.closes_2 * 1000000) - last_day.opens_2 * 1000000, 0)
    + greatest(least((epoch_us(stretch.ended_at) + 28800000000) % 86400000000, last_day.closes_3 * 1000000) - last_day.opens_3 * 1000000, 0)
  )
    - (
    first_day.open_seconds_before * 1000000
    + greatest(least((epoch_us(stretch.started_at) + 28800000000) % 86400000000, first_day.closes_1 * 1000000) - first_day.opens_1 * 1000000, 0)
    + greatest(least((epoch_us(stretch.started_at) + 28800000000) % 86400000000, first_day.closes_2 * 1000000) - first_day.opens_2 * 1000000, 0)
    + greatest(least((epoch_us(stretch.started_at) + 28800000000) % 86400000000, first_day.closes_3 * 1000000) - first_day.opens_3 * 1000000, 0)
  ) as business_us
  from stretches as stretch
  left join dim_work_calendar as first_day
    on
      stretch.calendar_code = first_day.calendar_code
      and first_day.date = date '1970-01-01' + cast((epoch_us(stretch.started_at) + 28800000000) // 86400000000 as integer)
  left join dim_work_calendar as last_day
    on
      stretch.calendar_code = last_day.calendar_code
      and last_day.date = date '1970-01-01' + cast((epoch_us(stretch.ended_at) + 28800000000) // 86400000000 as integer)
)

select
  state,
  branch_key,
  started_at,
  ended_at,
  (epoch_us(ended_at) - epoch_us(started_at)) / 1000000.0 as wall_seconds,
  business_us / 1000000.0 as business_seconds,
  case when is_clock_running then business_us else 0 end / 1000000.0 as counted_seconds,
  sum(case when is_clock_running then business_us else 0 end) over (order by started_at) / 1000000.0 as used_seconds,
  due_at,
  target_seconds
from timed
order by started_at

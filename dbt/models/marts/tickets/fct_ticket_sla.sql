{{ config(materialized='changing', key='ticket_key', affected='affected_tickets') }}
with

tickets as (
  select * from {{ ref('fct_ticket') }}
  {{ only_affected('ticket_key', 'affected_tickets') }}
),

matched as (select * from {{ ref('int_tickets__policies_matched') }}),

policies as (select * from {{ ref('dim_sla_policy') }}),

days as (select * from {{ ref('dim_work_calendar') }}),

stops as (
  select ticket_key, state, started_at, ended_at from {{ ref('fct_ticket_span') }}
  where not is_clock_running {{ only_affected('ticket_key', 'affected_tickets', 'and') }}
),

termed as materialized (
  select
    ticket.*,
    coalesce(policy.code, 'unknown') as policy_code,
    coalesce(policy.version_number, 0) as policy_version,
    coalesce(policy.calendar_code, 'always') as calendar_code,
    policy.first_response_seconds,
    policy.resolution_seconds
  from tickets as ticket
  left join matched on ticket.ticket_key = matched.ticket_key
  left join policies as policy
    on matched.sla_policy_key = policy.sla_policy_key and matched.version_number = policy.version_number
),

-- Read twice rather than held in memory whole.
clocks as not materialized (
  {% for clock, ended, due in [
    ('first_response', 'first_response_at', 'first_response_due_at'), ('resolution', 'resolved_at', 'resolution_due_at')
  ] -%}
  select
    ticket_key, '{{ clock }}' as clock, policy_code, policy_version, calendar_code, branch_key, city_code,
    created_date_key as date_key, state, created_at as started_at, {{ ended }} as ended_at, {{ due }} as due_at,
    {{ clock }}_seconds as target_seconds
  from termed
  where {{ due }} is not null
  {{ 'union all' if not loop.last }}
  {% endfor %}
),

-- Business time in which the clock stood still although it had begun: on hold, or done and taken up again.
stopped as (
  select
    clock.ticket_key,
    clock.clock,
    sum(
      case when stop.started_at < clock.ended_at then
        case when coalesce(stop.ended_at, clock.ended_at) <= clock.ended_at
          then {{ open_us_until('stop.ended_at', 'last_day') }} else {{ open_us_until('clock.ended_at', 'end_day') }}
        end - {{ open_us_until('stop.started_at', 'first_day') }}
      else 0 end
    ) as before_end_us,
    sum(
      -- What came after the clock had ended moves no promise.
      case when stop.started_at < least(clock.due_at, coalesce(clock.ended_at, clock.due_at)) then
        case when coalesce(stop.ended_at, clock.due_at) <= clock.due_at
          then {{ open_us_until('stop.ended_at', 'last_day') }} else {{ open_us_until('clock.due_at', 'due_day') }}
        end - {{ open_us_until('stop.started_at', 'first_day') }}
      else 0 end
    ) as before_due_us
  from clocks as clock
  inner join stops as stop on clock.ticket_key = stop.ticket_key
  {% for name, instant in {
    'first_day': 'stop.started_at', 'last_day': 'stop.ended_at', 'end_day': 'clock.ended_at', 'due_day': 'clock.due_at'
  }.items() -%}
  left join days as {{ name }}
    on clock.calendar_code = {{ name }}.calendar_code and {{ local_date(instant) }} = {{ name }}.date
  {% endfor %}
  -- What came after the clock had ended moves neither; nearly all stops do.
  where stop.started_at < coalesce(clock.ended_at, clock.due_at)
  group by clock.ticket_key, clock.clock
)

select
  clock.ticket_key,
  clock.clock,
  clock.policy_code,
  clock.policy_version,
  clock.calendar_code,
  clock.branch_key,
  clock.city_code,
  clock.date_key,
  clock.target_seconds,
  -- What was promised: the business time from creation to the due time, pauses aside.
  ({{ open_us_until('clock.due_at', 'due_day') }} - {{ open_us_until('clock.started_at', 'start_day') }}
    - coalesce(stopped.before_due_us, 0)) / 1000000.0 as promised_seconds,
  clock.started_at,
  clock.due_at,
  clock.ended_at,
  ({{ open_us_until('clock.ended_at', 'end_day') }} - {{ open_us_until('clock.started_at', 'start_day') }}
    - coalesce(stopped.before_end_us, 0)) / 1000000.0 as elapsed_seconds,
  coalesce(stopped.before_end_us, 0) / 1000000.0 as paused_seconds,
  {{ seconds_between('clock.started_at', 'clock.ended_at') }} as wall_seconds,
  case
    when clock.ended_at is not null then case when clock.ended_at <= clock.due_at then 'met' else 'missed' end
    when clock.state = 'cancelled' then 'void'
    when clock.state = 'pending' then 'paused'
    else 'running'
  end as standing,
  clock.ended_at <= clock.due_at as is_met
from clocks as clock
{% for name, instant in {'start_day': 'clock.started_at', 'end_day': 'clock.ended_at', 'due_day': 'clock.due_at'}.items() -%}
left join days as {{ name }}
  on clock.calendar_code = {{ name }}.calendar_code and {{ local_date(instant) }} = {{ name }}.date
{% endfor -%}
left join stopped on clock.ticket_key = stopped.ticket_key and clock.clock = stopped.clock

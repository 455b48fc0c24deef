-- One row a day: what the half-hours sum to beyond the day's own figure.
with

days as (
  select
    date_key,
    sum(contacts) as contacts,
    sum(offered) as offered,
    sum(answered) as answered,
    sum(tickets) as tickets,
    sum(talk_seconds) as talk_seconds,
    sum(on_contact_seconds) as on_contact_seconds,
    sum(installed_seconds) as installed_seconds
  from marts.kpi_day
  group by date_key
),

halves as (
  select
    date_key,
    sum(contacts) as contacts,
    sum(offered) as offered,
    sum(answered) as answered,
    sum(tickets) as tickets,
    sum(talk_seconds) as talk_seconds,
    sum(on_contact_seconds) as on_contact_seconds,
    sum(installed_seconds) as installed_seconds
  from marts.kpi_half_hour
  group by date_key
)

select
  coalesce(days.date_key, halves.date_key) as date_key,
  cast(coalesce(halves.contacts, 0) - coalesce(days.contacts, 0) as bigint) as contacts,
  cast(coalesce(halves.offered, 0) - coalesce(days.offered, 0) as bigint) as offered,
  cast(coalesce(halves.answered, 0) - coalesce(days.answered, 0) as bigint) as answered,
  cast(coalesce(halves.tickets, 0) - coalesce(days.tickets, 0) as bigint) as tickets,
  coalesce(halves.talk_seconds, 0) - coalesce(days.talk_seconds, 0) as talk_seconds,
  coalesce(halves.on_contact_seconds, 0) - coalesce(days.on_contact_seconds, 0) as on_contact_seconds,
  coalesce(halves.installed_seconds, 0) - coalesce(days.installed_seconds, 0) as installed_seconds
from days
full outer join halves on days.date_key = halves.date_key
order by 1

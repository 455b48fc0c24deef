"""What the complaint and channel pages read beyond the other made-up marts: days, townships, an outage, journeys."""

#: After fct_ticket and fct_contact were made.
COMPLAINTS = """
create table dim_township as
select distinct township_code, township_name_zh as name_zh, township_name_en as name_en from dim_customer;
create table dim_product as
select * from (values ('broadband', '宽带', 'Broadband', 1), ('unknown', '未知', 'Unknown', 999))
as t (product_code, name_zh, name_en, sort_order);
alter table fct_ticket add column kind varchar default 'standard';
alter table fct_ticket add column if not exists code varchar default 'T';
alter table fct_ticket add column if not exists parent_key bigint default 0;
alter table fct_ticket add column if not exists customer_key bigint default 0;
alter table fct_ticket add column if not exists state varchar default 'closed';
alter table fct_ticket add column if not exists resolved_at timestamptz;
update fct_ticket set customer_key = ticket_key % 900 + 1;
create table one_day as select max(created_date_key) as day from fct_ticket;
insert into fct_ticket
select * exclude (range) replace (
  ticket_key + 10000000 as ticket_key, 'signal.broadband.slow' as complaint_type_code, 1 as parent_key
)
from fct_ticket, range(12)
where ticket_key = (
  select min(ticket_key) from fct_ticket where created_date_key = (select day from one_day) and city_code = 'yulin'
);
insert into fct_ticket
select * replace (0 as ticket_key, 'outage' as kind, 'T-OUTAGE' as code, false as is_complaint)
from fct_ticket where ticket_key = (select min(ticket_key) from fct_ticket where ticket_key > 10000000);
update fct_ticket set ticket_key = 1 where kind = 'outage';
drop table one_day;
create table kpi_complaint_day as
select created_date_key as date_key, city_code, complaint_type_code, product_code, count(*) as complaints
from fct_ticket where is_complaint group by all;
create table kpi_complaint_hot_spot as
select created_date_key as date_key, city_code, township_code, complaint_type_code, count(*) as complaints
from fct_ticket where is_complaint group by all having count(*) >= 3;
alter table fct_contact add column if not exists contact_key bigint;
alter table fct_contact add column if not exists customer_key bigint;
alter table fct_contact add column if not exists direction varchar default 'in';
alter table fct_contact add column if not exists started_at timestamptz;
create sequence contact_numbers;
update fct_contact set contact_key = nextval('contact_numbers');
update fct_contact set
  customer_key = if(contact_key % 300 < 2, contact_key % 300 + 1, hash(city_code) % 50 * 5 + contact_key % 5 + 3),
  started_at = cast(strptime(cast(date_key as varchar), '%Y%m%d') as timestamptz)
    + to_minutes(cast(contact_key % 600 as int));
drop sequence contact_numbers;
create table kpi_outcome_day as
select date_key, city_code, channel_code, outcome, count(*) as contacts from fct_contact group by all;
create table kpi_journey_day as
select date_key, city_code, channel_code,
  if(next_at - started_at <= interval 7 day, next_channel, 'none') as next_channel_code, count(*) as contacts
from (
  select *, lead(channel_code) over following as next_channel, lead(started_at) over following as next_at
  from fct_contact
  window following as (partition by customer_key, city_code order by started_at, contact_key)
)
group by all;
create table kpi_repeat_day as
select created_date_key as date_key, city_code, complaint_type_code, count(*) as complaints,
  count(*) filter (where created_at - area_before <= interval 30 day) as repeats_of_area,
  count(*) filter (where created_at - kind_before <= interval 30 day) as repeats_of_kind
from (
  select *,
    lag(created_at) over (
      partition by customer_key, city_code, split_part(complaint_type_code, '.', 1) order by created_at
    ) as area_before,
    lag(created_at) over (
      partition by customer_key, city_code, string_split(complaint_type_code, '.')[:2] order by created_at
    ) as kind_before
  from fct_ticket
  where is_complaint and complaint_type_code <> 'unknown'
)
group by all;
create table kpi_milestone_day as
select created_date_key as date_key, city_code, count(*) as created, 0 as answered_at_once, count(*) as dispatched,
  count(*) as accepted, count(*) as started, count(*) as resolved, count(*) as reviewed, count(*) as approved,
  count(*) as closed, 0 as returned, 0 as rejected, 0 as reopened, 0 as cancelled
from fct_ticket where source = 'captured' group by all;
create table kpi_seat_half_hour as
select date_key, half_hour_key, city_code, centre_code, seat_key <> 0 as is_at_seat,
  sum(installed_seconds_open) as installed_seconds_open, sum(occupied_seconds) as occupied_seconds,
  sum(on_contact_seconds) as on_contact_seconds, sum(available_seconds) as available_seconds,
  sum(pause_seconds) as pause_seconds, sum(paid_pause_seconds) as paid_pause_seconds
from fct_seat_half_hour group by all
"""
#: Its tables that hold facts.
COMPLAINT_FACTS = (
    "kpi_complaint_day", "kpi_complaint_hot_spot", "kpi_outcome_day", "kpi_journey_day", "kpi_repeat_day",
    "kpi_milestone_day", "kpi_seat_half_hour",
)  # fmt: skip

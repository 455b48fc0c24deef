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
  customer_key = contact_key % 300 + 1,
  started_at = cast(strptime(cast(date_key as varchar), '%Y%m%d') as timestamptz)
    + to_minutes(cast(contact_key % 600 as int));
drop sequence contact_numbers
"""
#: Its tables that hold facts.
COMPLAINT_FACTS = ("kpi_complaint_day", "kpi_complaint_hot_spot")

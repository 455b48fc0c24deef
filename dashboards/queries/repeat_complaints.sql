-- Complaints of the period, and those of a customer who had complained of the same kind in the 30 days before.
with

-- Kinds are numbers, and a customer's complaints of one kind have one key: a window sorts that several times as fast.
kinds as materialized (
  select
    complaint_type_code,
    dense_rank() over (order by split_part(complaint_type_code, '.', 1)) as kind,
    split_part(complaint_type_code, '.', 1) as code,
    level1_name_zh,
    level1_name_en
  from dim_complaint_type
),

complaints as (
  select
    kinds.kind,
    ticket.customer_key * 1000000 + kinds.kind as customer_kind,
    ticket.created_date_key,
    epoch_us(ticket.created_at) as created_us
  from fct_ticket as ticket
  inner join kinds on ticket.complaint_type_code = kinds.complaint_type_code
  where
    ticket.is_complaint
    and ticket.customer_key > 0
    and ticket.complaint_type_code <> 'unknown'
    and ticket.created_date_key between $before and $last
    and ($city is null or ticket.city_code = $city)
),

lined_up as (
  select
    kind,
    created_date_key,
    created_us - lag(created_us) over (partition by customer_kind order by created_us) as since_us
  from complaints
),

counted as (
  select
    kind,
    count(*) as complaints,
    count(*) filter (where since_us <= epoch_us(interval 30 day)) as repeats
  from lined_up
  where created_date_key between $first and $last
  group by kind
)

select
  any_value(kinds.code) as code,
  any_value(kinds.level1_name_zh) as name_zh,
  any_value(kinds.level1_name_en) as name_en,
  any_value(counted.complaints) as complaints,
  any_value(counted.repeats) as repeats
from counted
inner join kinds on counted.kind = kinds.kind
group by counted.kind
order by repeats desc

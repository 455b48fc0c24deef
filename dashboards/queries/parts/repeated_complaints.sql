-- Complaints by type below the drilled one, and those whose customer had complained of the same kind (its first $levels
-- levels) in the 30 days before. Kinds are numbers, and a customer's complaints of one kind have one key: a window sorts
-- that several times as fast.
kinds as materialized (
  select
    complaint_type_code,
    row_number() over (order by complaint_type_code) as type,
    dense_rank() over (order by array_to_string(string_split(complaint_type_code, '.')[:$levels], '.')) as kind
  from dim_complaint_type
  where $type is null or starts_with(complaint_type_code || '.', $type || '.')
),

lined_up as (
  select
    kinds.type,
    ticket.created_date_key,
    epoch_us(ticket.created_at)
    - lag(epoch_us(ticket.created_at)) over (
      partition by ticket.customer_key * 1000000 + kinds.kind
      order by ticket.created_at
    ) as since_us
  from fct_ticket as ticket
  inner join kinds on ticket.complaint_type_code = kinds.complaint_type_code
  where
    ticket.is_complaint
    and ticket.customer_key > 0
    and ticket.complaint_type_code <> 'unknown'
    and ticket.created_date_key between $before and $last
    and ($city is null or ticket.city_code = $city)
),

repeated_complaints as (
  select
    kinds.complaint_type_code,
    counted.complaints,
    counted.repeats
  from (
    select
      type,
      count(*) as complaints,
      count(*) filter (where since_us <= epoch_us(interval 30 day)) as repeats
    from lined_up
    where created_date_key between $first and $last
    group by type
  ) as counted
  inner join kinds on counted.type = kinds.type
)

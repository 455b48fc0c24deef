-- Summed up from the moves: no table of tickets by day stands behind it.
with

moves as (select * from {{ ref('int_tickets__backlog_moved') }}),

places as (select distinct branch_key, city_code, age_band from moves),

span as (
  select min(day) as first_day, (select {{ local_date('max(created_at)') }} from {{ ref('stg_lake__tickets') }}) as last_day
  from moves
),

days as (
  select date.date, date.date_key, place.branch_key, place.city_code, place.age_band
  from {{ ref('dim_date') }} as date
  inner join span on date.date between span.first_day and span.last_day
  cross join places as place
),

summed as (
  select
    days.date_key,
    days.branch_key,
    days.city_code,
    days.age_band,
    cast(sum(coalesce(moves.move, 0)) over (
      partition by days.branch_key, days.city_code, days.age_band order by days.date
    ) as integer) as tickets_open
  from days
  left join moves
    on
      days.date = moves.day
      and days.branch_key = moves.branch_key
      and days.city_code = moves.city_code
      and days.age_band = moves.age_band
)

select * from summed where tickets_open <> 0

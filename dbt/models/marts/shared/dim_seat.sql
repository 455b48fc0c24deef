select
  seat.seat_key,
  seat.seat_code as code,
  seat.centre_code,
  coalesce(branch.branch_key, -1) as branch_key,
  coalesce(branch.city_code, 'unknown') as city_code,
  seat.calendar_code,
  seat.installed_on,
  seat.removed_on
from {{ ref('stg_lake__seats') }} as seat
left join {{ ref('dim_branch') }} as branch on branch.branch_key = coalesce(seat.branch_key, 0)

union all

-- 0: no seat of ours, e.g. an agent at home.
select 0, 'none', 'none', 0, 'unknown', 'none', null, null

union all

select -1, 'not_arrived', 'none', -1, 'unknown', 'none', null, null

-- The loop's states from the way in to the way out, and how long a ticket should stay in each (NULL: no target): as the
-- process in force says, or the delivered one where the store has told of none. What it no longer has comes last.
with

delivered as (
  select *
  from (
    values
    ('new', 1, 'province', '待派单', 'New', 1800),
    ('dispatched', 2, 'branch', '已派单', 'Dispatched', 7200),
    ('accepted', 3, 'branch', '已接单', 'Accepted', 7200),
    ('in_progress', 4, 'branch', '处理中', 'In progress', 86400),
    ('pending', 5, 'branch', '挂起', 'Pending', null),
    ('returned', 6, 'province', '退回省公司', 'Returned', 7200),
    ('resolved', 7, 'province', '已处理', 'Resolved', 14400),
    ('in_review', 8, 'province', '审核中', 'In review', 14400),
    ('follow_up', 9, 'province', '回访中', 'Follow-up call', 86400),
    ('closed', 10, 'province', '已归档', 'Closed', null),
    ('cancelled', 11, 'province', '已撤销', 'Cancelled', null)
  ) as steps (state, position, side, name_zh, name_en, target_seconds)
),

held as (
  select * from {{ ref('int_tickets__steps_held') }} where valid_to = timestamptz '9999-12-31 00:00:00+00'
)

select
  delivered.state,
  case
    when held.state is not null or (select count(*) from held) = 0 then coalesce(held.position, delivered.position)
    else delivered.position + 100
  end as position,
  coalesce(held.side, delivered.side) as side,
  coalesce(held.name_zh, delivered.name_zh) as name_zh,
  coalesce(held.name_en, delivered.name_en) as name_en,
  case when (select count(*) from held) = 0 then delivered.target_seconds else held.target_seconds end as target_seconds
from delivered
left join held on delivered.state = held.state

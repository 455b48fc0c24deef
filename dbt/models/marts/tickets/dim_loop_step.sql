-- The standard loop's states from the way in to the way out, and how long a ticket should stay in each (NULL: no target).
select state, position, side, name_zh, name_en, target_seconds
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

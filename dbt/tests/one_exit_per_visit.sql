-- A visit has exactly one exit: a class and a time, or neither yet (it is waiting).
select visit_key, exit_class, entered_at, exited_at
from {{ rows_that_came(ref('fct_queue_visit')) }} as visits
where
  (exit_class = 'waiting') <> (exited_at is null)
  or exit_class not in (
    'answered', 'abandoned', 'timeout', 'key_exit', 'leave_empty', 'diverted', 'transferred', 'unknown', 'waiting'
  )

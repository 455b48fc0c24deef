{{ config(materialized='changing', key='date_key', affected='affected_days') }}
select
  created_date_key as date_key,
  city_code,
  count(*) as created,
  count(*) filter (where is_closed and not is_dispatched) as answered_at_once,
  count(*) filter (where is_dispatched) as dispatched,
  count(*) filter (where is_dispatched and accepted_at is not null) as accepted,
  count(*) filter (where is_dispatched and is_started) as started,
  count(*) filter (where is_dispatched and is_resolved) as resolved,
  count(*) filter (where is_dispatched and is_reviewed) as reviewed,
  count(*) filter (where is_dispatched and is_approved) as approved,
  count(*) filter (where is_dispatched and is_closed) as closed,
  count(*) filter (where return_count > 0) as returned,
  count(*) filter (where rejection_count > 0) as rejected,
  count(*) filter (where reopen_count > 0) as reopened,
  count(*) filter (where state = 'cancelled') as cancelled
from {{ ref('fct_ticket') }}
where
  -- The loop is watched where it was worked; imported tickets were worked elsewhere.
  source = 'captured'
  {{ only_affected('created_date_key', 'affected_days', word='and', key='date_key') }}
group by all

select version_number, state, side, target_seconds, valid_from, valid_to
from {{ ref('int_tickets__steps_held') }}

union all

-- A store that has told of no process works as delivered.
select 0, state, side, target_seconds, timestamptz '1900-01-01 00:00:00+00', timestamptz '9999-12-31 00:00:00+00'
from {{ ref('dim_loop_step') }}
where (select count(*) from {{ ref('int_tickets__steps_held') }}) = 0

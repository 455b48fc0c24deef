{{ config(materialized='changing', key='seat_key', lake_table='seats') }}
-- Removed ones too: what was done there happened.
select
  id as seat_key,
  code as seat_code,
  centre_code,
  unit_id as branch_key,
  calendar_code,
  installed_on,
  removed_on
from {{ current_rows('seats') }}

{{ config(materialized='table') }}
-- Asked three times in a build, so looked up once.
select
  max(epoch_us(started_at)) as last_us,
  {{ '(select last_us from ' ~ this ~ ')' if is_increment() else 'cast(null as bigint)' }} as last_us_before
from {{ ref('stg_lake__contacts') }}
where customer_key is not null and direction = 'in' and outcome <> 'blocked'

{%- set calls = ref('stg_lake__calls') -%}
{{ config(materialized='table') }}
select greatest(
  {{ '(select longest_us from ' ~ this ~ ')' if is_increment() else '0' }},
  max(epoch_us({{ line_ended_at() }}) - epoch_us(started_at))
) as longest_us
from {{ changes_of(calls) if is_increment() else calls }}

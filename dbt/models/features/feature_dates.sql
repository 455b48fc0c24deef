{% set dates = feature_dates() %}
select
  as_of,
  {{ instant_of_local_us('epoch_us(cast(as_of as timestamp))') }} as midnight
from (
  {% for day in dates -%}
  select cast('{{ day }}' as date) as as_of
  {{ 'union' if not loop.last }}
  {% else -%}
  select cast(null as date) as as_of where false
  {%- endfor %}
) as wanted

select date_key, sum(offered) as offered, sum(exits) as exits
from (
  select
    date_key,
    offered,
    answered + abandoned + timed_out + left_by_key + left_empty + diverted + transferred_waiting + exit_unknown
    -- Still in the queue when the load looked.
    + waiting as exits
  from {{ rows_of_changed_keys(ref('kpi_day')) }} as changed
) as days
group by date_key
having sum(offered) <> sum(exits)

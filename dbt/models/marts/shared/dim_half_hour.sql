select
  cast(half_hour as tinyint) as half_hour_key,
  lpad(cast(half_hour // 2 as varchar), 2, '0') || case when half_hour % 2 = 0 then ':00' else ':30' end as label,
  cast(half_hour * 1800 as integer) as starts_second
from unnest(range(48)) as half_hours (half_hour)

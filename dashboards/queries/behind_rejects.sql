-- The newest rows that imports refused, and how many there are; those without a readable day stand outside every day.
with picked as (
  select reject.*, day.date as day
  from fct_import_reject as reject
  inner join dim_date as day on reject.date_key = day.date_key
  where
    (reject.date_key between $first and $last or $dateless is not null and reject.date_key = 0)
    and ($city is null or reject.city_code = $city)
    and ($source is null or reject.source = $source)
    and ($kind is null or reject.kind = $kind)
    and ($reason is null or reject.reason = $reason)
)

select
  (select count(*) from picked) as total,
  picked.reject_key,
  picked.day,
  picked.source,
  picked.kind,
  picked.reason,
  picked.channel_code as channel,
  picked.city_code as city
from picked
order by picked.date_key desc, picked.reject_key desc
limit 500

-- The days on which recordings of a rule were made or removed until a mark's day, newest first, and how many there are.
with picked as (
  select recording.*, day.date as day
  from fct_recording_day as recording
  inner join dim_date as day on recording.date_key = day.date_key
  where
    -- What is kept was made whenever; the mark's own day begins nothing.
    recording.date_key <= $last
    and $first <= $last
    and ($rule is null or recording.rule = $rule)
)

select
  (select count(*) from picked) as total,
  picked.day,
  picked.rule,
  picked.recordings,
  picked.recordings_purged as purged,
  (picked.bytes - picked.bytes_purged) / 1e6 as megabytes
from picked
order by picked.date_key desc, picked.rule
limit 500

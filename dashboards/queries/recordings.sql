-- What recordings take on disk at the end of each day of the period on which any was made or removed, by rule.
with kept as (
  select
    dim_date.date as day,
    recording.date_key,
    recording.rule,
    recording.recordings,
    recording.recordings_purged,
    sum(recording.bytes - recording.bytes_purged) over (
      partition by recording.rule order by recording.date_key
    ) as bytes_kept
  from fct_recording_day as recording
  inner join dim_date on recording.date_key = dim_date.date_key
)

select day, rule, recordings, recordings_purged, bytes_kept
from kept
where date_key between $first and $last
order by day, rule

{{ config(materialized='changing', key='reject_key', affected='affected_import_rejects') }}
select
  reject.reject_key,
  reject.source,
  reject.kind,
  reject.reason,
  {{ local_date_key('reject.started_at') }} as date_key,
  {{ local_half_hour_key('reject.started_at') }} as half_hour_key,
  coalesce(reject.channel_code, 'unknown') as channel_code,
  coalesce(reject.service_type_code, 'unknown') as service_type_code,
  coalesce(branch.branch_key, -1) as branch_key,
  coalesce(branch.city_code, 'unknown') as city_code
from {{ ref('stg_lake__import_rejects') }} as reject
left join {{ ref('dim_branch') }} as branch on branch.branch_key = coalesce(reject.branch_key, 0)
{{ only_affected('reject.reject_key', 'affected_import_rejects') }}

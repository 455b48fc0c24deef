{%- set chains = {
  'contacts': {'staging': ref('stg_lake__contacts'), 'at': 'started_at', 'mart': ref('fct_contact'), 'day': 'date_key',
    'figure': 'contacts', 'staging_sum': '0', 'mart_sum': '0'},
  'queue_visits': {'staging': ref('stg_lake__queue_visits'), 'at': 'entered_at', 'mart': ref('fct_queue_visit'), 'day': 'date_key',
    'figure': 'offered', 'staging_sum': seconds_between('entered_at', 'exited_at'), 'mart_sum': 'wait_seconds'},
  'tickets': {'staging': ref('stg_lake__tickets'), 'at': 'created_at', 'mart': ref('fct_ticket'), 'day': 'created_date_key',
    'figure': 'tickets', 'staging_sum': '0', 'mart_sum': '0'},
  'survey_answers': {'staging': ref('stg_lake__survey_answers'), 'at': 'asked_at', 'mart': ref('fct_survey_answer'), 'day': 'date_key',
    'figure': 'surveys_asked', 'staging_sum': 'score', 'mart_sum': 'score'},
  'import_rejects': {'staging': ref('stg_lake__import_rejects'), 'at': 'started_at', 'mart': ref('fct_import_reject'), 'day': 'date_key',
    'figure': 'rejected', 'staging_sum': '0', 'mart_sum': '0'},
} -%}
{{ config(materialized='changing', key='date_key', affected='affected_days') }}
with

{% for name, chain in chains.items() %}
{{ name }}_staged as (
  select {{ local_date_key(chain.at) }} as date_key, count(*) as rows_found, coalesce(sum({{ chain.staging_sum }}), 0) as amount
  from {{ chain.staging }}
  {% if is_increment() %}where {{ within(chain.at, ends_of_days(ref('affected_days'))) }}{% endif %}
  group by 1
  {% if is_increment() %}having date_key in (select date_key from {{ ref('affected_days') }}){% endif %}
),

{{ name }}_marts as (
  select {{ chain.day }} as date_key, count(*) as rows_found, coalesce(sum({{ chain.mart_sum }}), 0) as amount
  from {{ chain.mart }}
  {{ only_affected(chain.day, 'affected_days', 'where', 'date_key') }}
  group by 1
),

{{ name }}_figures as (
  select date_key, sum({{ chain.figure }}) as rows_found
  from {{ ref('kpi_day') }}
  {{ only_affected('date_key', 'affected_days') }}
  group by 1
),
{% endfor %}

compared as (
  {% for name in chains %}
  select
    '{{ name }}' as table_name,
    coalesce(staged.date_key, mart.date_key) as date_key,
    coalesce(staged.rows_found, 0) as staging_rows,
    coalesce(mart.rows_found, 0) as mart_rows,
    cast(coalesce(figure.rows_found, 0) as bigint) as figure_rows,
    coalesce(staged.amount, 0) as staging_amount,
    coalesce(mart.amount, 0) as mart_amount
  from {{ name }}_staged as staged
  full outer join {{ name }}_marts as mart on staged.date_key = mart.date_key
  left join {{ name }}_figures as figure on figure.date_key = coalesce(staged.date_key, mart.date_key)
  {{ 'union all' if not loop.last }}
  {% endfor %}
)

select
  table_name,
  date_key,
  -- The province's: a city's reader sees its own figures elsewhere.
  'province' as city_code,
  staging_rows,
  mart_rows,
  figure_rows,
  staging_amount,
  mart_amount
from compared

-- Rows of each fact and of the figures made from it, against the rows that exist in the lake's current loads.
with

counted as (
  {% set pairs = [
    ('stg_lake__contacts', 'fct_contact'),
    ('stg_lake__tickets', 'fct_ticket'),
    ('stg_lake__survey_answers', 'fct_survey_answer'),
    ('stg_lake__import_rejects', 'fct_import_reject'),
  ] %}
  {% for staged, fact in pairs %}
  select
    '{{ fact }}' as what,
    (select count(*) from {{ ref(staged) }}) as expected,
    (select count(*) from {{ ref(fact) }}) as found
  union all
  {% endfor %}
  -- The visits of a contact that was erased went with it.
  select
    'fct_queue_visit',
    (
      select count(*)
      from {{ ref('stg_lake__queue_visits') }}
      where
        contact_key in (select contact_key from {{ ref('stg_lake__contacts') }})
        {{ only_affected('visit_key', 'affected_visits', 'and') }}
    ),
    (select count(*) from {{ ref('fct_queue_visit') }} {{ only_affected('visit_key', 'affected_visits') }})
  {% for table in ['kpi_day', 'kpi_half_hour', 'kpi_product_day', 'kpi_agent_day'] %}
  union all
  select
    '{{ table }}.contacts',
    (select count(*) from {{ ref('fct_contact') }}),
    (select coalesce(sum(contacts), 0) from {{ ref(table) }})
  union all
  select
    '{{ table }}.offered',
    (select count(*) from {{ ref('fct_queue_visit') }}),
    (select coalesce(sum(offered), 0) from {{ ref(table) }})
  {% endfor %}
)

select * from counted where expected <> found

{{ config(materialized='changing', key='survey_answer_key', lake_table='survey_answers') }}
select
  id as survey_answer_key,
  contact_id as contact_key,
  ticket_id as ticket_key,
  asked_at,
  answered_at,
  score
from {{ current_rows('survey_answers') }}
where deleted_at is null

-- The versions of the models, newest first; the one in use leads.
select
  model,
  version,
  is_champion,
  beats_baseline,
  trained_at,
  promoted_by,
  promoted_because_zh,
  promoted_because_en,
  drift,
  card_zh,
  card_en
from dim_model
order by model, is_champion desc, version desc

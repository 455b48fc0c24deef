select
  model,
  version,
  is_champion,
  beats_baseline,
  trained_at,
  learnt_to,
  promoted_by,
  promoted_at,
  promoted_because as promoted_because_zh,
  coalesce(promoted_because_en, promoted_because) as promoted_because_en,
  metrics,
  drift,
  card_zh,
  card_en
from {{ model_rows('model_versions', {
  'model': 'varchar', 'version': 'varchar', 'is_champion': 'boolean', 'beats_baseline': 'boolean',
  'trained_at': 'varchar', 'learnt_to': 'varchar', 'promoted_by': 'varchar', 'promoted_at': 'varchar',
  'promoted_because': 'varchar', 'promoted_because_en': 'varchar', 'metrics': 'varchar', 'drift': 'double',
  'card_zh': 'varchar', 'card_en': 'varchar',
}) }}

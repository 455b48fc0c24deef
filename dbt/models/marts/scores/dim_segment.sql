select
  cast(number as integer) as segment,
  version,
  as_of,
  name_zh,
  name_en,
  action_zh,
  action_en,
  differs_zh,
  differs_en,
  jaccard,
  verdict
from {{ model_rows('segments', {
  'number': 'bigint', 'version': 'varchar', 'as_of': 'date', 'name_zh': 'varchar', 'name_en': 'varchar',
  'action_zh': 'varchar', 'action_en': 'varchar', 'differs_zh': 'varchar', 'differs_en': 'varchar',
  'jaccard': 'double', 'verdict': 'varchar',
}) }}

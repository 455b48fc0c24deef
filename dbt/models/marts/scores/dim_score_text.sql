select model, code, text_zh, text_en
from {{ model_rows('score_texts', {'model': 'varchar', 'code': 'varchar', 'text_zh': 'varchar', 'text_en': 'varchar'}) }}

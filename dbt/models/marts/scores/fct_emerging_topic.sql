select topic_number, tickets, first_seen, last_seen, terms, as_of
from {{ model_rows('emerging_topics', {
  'topic_number': 'bigint', 'tickets': 'bigint', 'first_seen': 'date', 'last_seen': 'date', 'terms': 'varchar',
  'as_of': 'date',
}) }}

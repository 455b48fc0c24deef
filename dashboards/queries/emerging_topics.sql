-- Complaint texts that fit no type, grouped by the words they share.
select terms, tickets, first_seen, last_seen
from fct_emerging_topic
order by tickets desc, topic_number

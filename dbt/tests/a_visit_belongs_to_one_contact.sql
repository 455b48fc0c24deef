-- Every visit's contact exists once, and counts it.
with

counted as (
  select contact_key, count(*) as visits
  from {{ ref('fct_queue_visit') }}
  {{ only_affected('contact_key', 'affected_contacts') }}
  group by contact_key
),

contacts as (
  select contact_key, visits from {{ ref('fct_contact') }}
  {{ only_affected('contact_key', 'affected_contacts') }}
)

select coalesce(contact.contact_key, counted.contact_key) as contact_key, contact.visits, counted.visits as visits_found
from contacts as contact
full outer join counted on contact.contact_key = counted.contact_key
where coalesce(contact.visits, -1) <> coalesce(counted.visits, 0)

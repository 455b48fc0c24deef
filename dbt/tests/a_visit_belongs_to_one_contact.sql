-- Every visit's contact exists once, and counts it.
with

counted as (select contact_key, count(*) as visits from {{ ref('fct_queue_visit') }} group by contact_key)

select contact.contact_key, contact.visits, counted.visits as visits_found
from {{ ref('fct_contact') }} as contact
left join counted on contact.contact_key = counted.contact_key
where contact.visits <> coalesce(counted.visits, 0)

union all

select counted.contact_key, null, counted.visits
from counted
where counted.contact_key not in (select contact_key from {{ ref('fct_contact') }})

{%- set tickets = ref('fct_ticket') -%}
{%- set changes = changes_of(tickets) -%}
{% if not is_increment() %}
{{ nothing_affected({'date_key': 'integer'}) }}
{% else %}
with

-- Complaints that came, went, or were of another customer, city, type or time; that their work went on repeats nothing.
moved as (
  select ticket_key, customer_key, city_code, complaint_type_code, created_date_key, created_at
  from {{ changes }}
  where {{ is_complaint_of_a_kind() }}
  group by all
  having count(*) = 1
)

select created_date_key as date_key from moved
union
-- Days of complaints of the same customer that may repeat it.
select near.created_date_key
from {{ tickets }} as near
inner join moved on near.customer_key = moved.customer_key and near.city_code = moved.city_code
where
  epoch_us(near.created_at) - epoch_us(moved.created_at) between 0 and {{ thirty_days_us() }}
  and {{ within('near.created_at', 'select created_at as seen_at from ' ~ changes, after='30 day') }}
{% endif %}

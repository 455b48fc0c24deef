{%- set contacts = ref('stg_lake__contacts') -%}
{%- set rows -%}
select contact_key as row_key, customer_key, started_at as seen_at
from {{ contacts }}
where customer_key is not null {{ only_affected('contact_key', 'affected_contacts', 'and') }}
{%- endset %}
select row_key as contact_key, customer_standing_key from ({{ standings_of(rows) }}) as found

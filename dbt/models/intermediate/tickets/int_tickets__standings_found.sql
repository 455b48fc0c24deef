{%- set tickets = ref('stg_lake__tickets') -%}
{%- set rows -%}
select ticket_key as row_key, customer_key, created_at as seen_at
from {{ tickets }}
where customer_key is not null {{ only_affected('ticket_key', 'affected_tickets', 'and') }}
{%- endset %}
select row_key as ticket_key, customer_standing_key from ({{ standings_of(rows) }}) as found

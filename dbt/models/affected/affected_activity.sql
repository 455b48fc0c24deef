{%- set contacts, tickets, customers = ref('fct_contact'), ref('fct_ticket'), ref('dim_customer') -%}
{% if not is_increment() %}
{{ nothing_affected({'customer_key': 'bigint'}) }}
{% else %}
select customer_key from {{ changes_of(contacts) }} where customer_key > 0
union
select customer_key from {{ changes_of(tickets) }} where customer_key > 0
union
select customer_key from {{ changes_of(customers) }} where customer_key > 0
{% endif %}

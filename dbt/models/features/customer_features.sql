{% set counts = {
  'contact': ['contacts_30d', 'contacts_90d', 'contacts_365d', 'calls_90d', 'online_contacts_90d', 'self_served_90d',
              'abandoned_90d', 'fee_queries_90d', 'orders_90d', 'consultations_90d', 'complaint_contacts_90d',
              'waited_minutes_90d', 'longest_wait_minutes_90d', 'fresh_waited_minutes', 'fresh_abandoned',
              'fresh_complaint_contacts'],
  'ticket': ['tickets_90d', 'tickets_365d', 'open_tickets', 'complaints_30d', 'complaints_90d', 'complaints_365d',
             'signal_complaints_365d', 'fee_complaints_365d', 'service_complaints_365d', 'late_repairs_90d',
             'late_repairs_365d', 'fresh_complaints', 'fresh_late_repairs'],
  'survey': ['survey_answers_365d', 'low_scores_365d'],
} %}
with

customers as (select * from {{ ref('ftr_customers_present') }}),

products as (select * from {{ ref('ftr_products_held') }}),

usual as (
  select product.as_of, customer.kind, median(product.monthly_fee_yuan) as usual_fee_yuan
  from products as product
  inner join customers as customer
    on product.as_of = customer.as_of and product.customer_key = customer.customer_key
  group by product.as_of, customer.kind
)

select
  customer.customer_key,
  customer.as_of,
  customer.city_code,
  customer.kind,
  customer.key_level,
  year(customer.as_of) - customer.birth_year as age_years,
  cast({{ days_between('customer.registered_at', 'customer.midnight') }} as float) as tenure_days,
  coalesce(product.products, 0)::tinyint as products,
  {% for product in ['cable_tv', 'digital_tv', 'broadband', 'private_network'] -%}
  coalesce(product.has_{{ product }}, false) as has_{{ product }},
  {% endfor -%}
  coalesce(product.subscriptions, 0)::integer as subscriptions,
  coalesce(product.points, 0)::integer as points,
  cast(coalesce(product.monthly_fee_yuan, 0) as float) as monthly_fee_yuan,
  cast(product.monthly_fee_yuan / nullif(usual.usual_fee_yuan, 0) as float) as fee_against_usual,
  cast(product.newest_product_days as float) as newest_product_days,
  {% for name, columns in counts.items() %}{% for column in columns -%}
  cast(coalesce({{ name }}.{{ column }}, 0) as float) as {{ column }},
  {% endfor %}{% endfor -%}
  cast(contact.days_since_contact as float) as days_since_contact,
  cast(ticket.days_since_complaint as float) as days_since_complaint,
  cast(ticket.mean_hours_to_resolve_365d as float) as mean_hours_to_resolve_365d,
  cast(survey.mean_survey_score_365d as float) as mean_survey_score_365d
from customers as customer
left join products as product
  on customer.as_of = product.as_of and customer.customer_key = product.customer_key
left join usual on customer.as_of = usual.as_of and customer.kind = usual.kind
left join {{ ref('ftr_contacts_counted') }} as contact
  on customer.as_of = contact.as_of and customer.customer_key = contact.customer_key
left join {{ ref('ftr_tickets_counted') }} as ticket
  on customer.as_of = ticket.as_of and customer.customer_key = ticket.customer_key
left join {{ ref('ftr_surveys_counted') }} as survey
  on customer.as_of = survey.as_of and customer.customer_key = survey.customer_key
where {{ is_drawn('customer.customer_key') }}

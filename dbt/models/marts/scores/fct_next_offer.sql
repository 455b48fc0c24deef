-- One offer a customer: the product with the highest expected margin of a year.
with

terms as (
  select model, product_code, yearly_margin_yuan
  from {{ model_rows('offer_terms', {'model': 'varchar', 'product_code': 'varchar', 'yearly_margin_yuan': 'double'}) }}
),

ranked as (
  select
    score.customer_key,
    score.city_code,
    term.product_code,
    score.score as probability,
    score.percentile,
    score.score * term.yearly_margin_yuan as expected_margin_yuan,
    score.version,
    score.as_of,
    score.reasons,
    row_number() over (
      partition by score.customer_key order by score.score * term.yearly_margin_yuan desc, term.product_code
    ) as place
  from {{ ref('fct_customer_score') }} as score
  inner join terms as term on score.model = term.model
)

select * exclude (place) from ranked where place = 1

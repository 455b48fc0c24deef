-- What the models said of customers, as combinations; facts hold the one that was known when they happened.
select {{ customer_standing_key('segment', 'churn_band') }} as customer_standing_key, segment, churn_band
from ({{ standings() }}) as standings

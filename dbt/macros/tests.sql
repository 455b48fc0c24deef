{# The grain: at most one row a combination of the columns. #}
{% test one_row_per(model, columns) %}
select {{ columns | join(', ') }}, count(*) as rows_found
from {{ model }}
group by {{ columns | join(', ') }}
having count(*) > 1
{% endtest %}

{# Facts never hold a NULL key: what is not known is a member of its own. #}
{% test never_null(model, columns) %}
select *
from {{ model }}
where {% for column in columns %}{{ column }} is null{{ ' or ' if not loop.last }}{% endfor %}
{% endtest %}

{# Every value of a key column stands in its dimension: {column: [dimension, its column]}. #}
{% test known_members(model, members) %}
{% for column, place in members.items() %}
select '{{ column }}' as column_name, cast(fact.{{ column }} as varchar) as member, fact.row_count
from (select {{ column }}, count(*) as row_count from {{ model }} group by {{ column }}) as fact
where fact.{{ column }} not in (select {{ place[1] }} from {{ ref(place[0]) }})
{{ 'union all' if not loop.last }}
{% endfor %}
{% endtest %}

{# A condition that every row meets. #}
{% test holds(model, condition) %}
select * from {{ model }} where not coalesce({{ condition }}, false)
{% endtest %}

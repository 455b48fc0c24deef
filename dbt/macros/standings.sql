{#
  What the models said of a customer when something happened: segment and churn band of the newest scoring that was
  written before. A later scoring changes nothing that happened before it, so scoring makes no row of history anew.
#}

{# Chances of leaving, by band: the top twentieth, the next 15 of 100, the rest (ml/customers/scores.py). #}
{% macro churn_bands() %}{{ return(['unknown', 'low', 'medium', 'high']) }}{% endmacro %}
{# Segments keep their numbers when learnt again, and new ones get new numbers; beyond these they are unknown. #}
{% macro segments_told() %}{{ return(30) }}{% endmacro %}

{# The number of a combination in dim_customer_standing. #}
{% macro customer_standing_key(segment, churn_band) -%}
cast(case when {{ segment }} between 0 and {{ segments_told() - 1 }} then {{ segment }} + 1 else 0 end * 10
+ case {{ churn_band }}{% for known in churn_bands() %} when '{{ known }}' then {{ loop.index0 }}{% endfor %} else 0 end as smallint)
{%- endmacro %}

{# Every combination: segment (-1 unknown) and churn band. #}
{% macro standings() -%}
select cast(number - 1 as integer) as segment, churn_band
from range({{ segments_told() + 1 }}) as numbers (number)
cross join (values {% for known in churn_bands() %}('{{ known }}'){{ ', ' if not loop.last }}{% endfor %}) as bands (churn_band)
{%- endmacro %}

{# All scorings of customers by leaving and by segment: [model, when it was written, path, file name]. #}
{% macro scorings() %}
  {% if not execute or not run_query("select file from glob('" ~ lake_glob() ~ "/_ml_ledger/*.json')").rows | length %}
    {{ return([]) }}
  {% endif %}
  {% set listing %}
    select entry.part, cast(cast(written_at as timestamptz) as varchar), entry.path, parse_filename(entry.path)
    from (
      select written_at, unnest(files) as entry
      from read_json(
        '{{ lake_glob() }}/_ml_ledger/*.json',
        columns = {written_at: 'varchar', files: 'struct("table" varchar, part varchar, path varchar)[]'}
      )
    )
    where entry."table" = 'customer_scores' and entry.part in ('churn', 'segment')
    order by all
  {% endset %}
  {{ return(run_query(listing).rows | list) }}
{% endmacro %}

{#
  The standing of some rows: row_key, customer_standing_key; rows without any are left out. `rows` is a query of
  row_key, customer_key and seen_at, small or large: only the scorings that it meets are read.
#}
{% macro standings_of(rows) %}
  {% set known = scorings() %}
  {% set nothing = 'select row_key, cast(0 as smallint) as customer_standing_key from (' ~ rows ~ ') as no_rows where false' %}
  {% if not known %}{{ return(nothing) }}{% endif %}
  {% set met %}
    select row.row_key, row.customer_key, row.model, scoring.file_name
    from (
      select given.*, models.model
      from ({{ rows }}) as given
      cross join (values ('churn'), ('segment')) as models (model)
    ) as row
    asof join (
      values {% for model, written_at, path, name in known -%}
      ('{{ model }}', timestamptz '{{ written_at }}', '{{ name | replace("'", "''") }}'){{ ', ' if not loop.last }}
      {%- endfor %}
    ) as scoring (model, written_at, file_name)
      on row.model = scoring.model and row.seen_at >= scoring.written_at
  {% endset %}
  {% set wanted = run_query('select distinct file_name from (' ~ met ~ ') as met').columns[0].values() %}
  {% set paths = [] %}
  {% for model, written_at, path, name in known if name in wanted %}
    {% do paths.append(lake_glob() ~ '/' ~ (path | replace("'", "''") | replace('[', '[[]'))) %}
  {% endfor %}
  {% if not paths %}{{ return(nothing) }}{% endif %}
  {% set sql %}
    select
      row_key,
      {{ customer_standing_key("max(try_cast(label as integer)) filter (where model = 'segment')", "max(label) filter (where model = 'churn')") }}
        as customer_standing_key
    from (
      select met.row_key, met.model, score.label
      from ({{ met }}) as met
      inner join read_parquet(['{{ paths | join("', '") }}'], filename = true, union_by_name = true) as score
        on met.customer_key = score.customer_id and met.file_name = parse_filename(score.filename)
    ) as found
    group by row_key
  {% endset %}
  {{ return(sql) }}
{% endmacro %}

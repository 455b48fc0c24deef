{#
  Reading what the models wrote into the lake (its layout: ml/lake.py): per part of a table the newest ledger entry.
  Without any, no rows of the columns given ({name: type}); a column that an earlier version did not write yet is empty.
#}
{% macro model_rows(table, columns) %}
  {% if not execute %}{{ return('(select 1)') }}{% endif %}
  {% set listing %}
    select file from glob('{{ lake_glob() }}/_ml_ledger/*.json')
  {% endset %}
  {% set paths = [] %}
  {% if run_query(listing).rows | length %}
    {% set newest %}
      select entry.path
      from (
        select load_id, unnest(files) as entry
        from read_json(
          '{{ lake_glob() }}/_ml_ledger/*.json',
          columns = {load_id: 'varchar', files: 'struct("table" varchar, part varchar, path varchar)[]'}
        )
      )
      where entry."table" = '{{ table }}'
      qualify row_number() over (partition by entry.part order by cast(load_id as double) desc) = 1
      order by entry.path
    {% endset %}
    {% for path in run_query(newest).columns[0].values() %}
      {% do paths.append(env_var('CRM_LAKE') ~ '/' ~ path) %}
    {% endfor %}
  {% endif %}
  {% set typed = [] %}
  {% for name, type in columns.items() %}{% do typed.append('cast(null as ' ~ type ~ ') as ' ~ name) %}{% endfor %}
  {% set no_rows = 'select ' ~ (typed | join(', ')) ~ ' where false' %}
  {% if paths %}{{ return('(' ~ no_rows ~ ' union all by name select * from ' ~ read_lake(paths) ~ ')') }}{% endif %}
  {{ return('(' ~ no_rows ~ ')') }}
{% endmacro %}

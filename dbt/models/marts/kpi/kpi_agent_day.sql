{{ summed_kpi_table_of(
  dimensions=['date_key', 'city_code', 'agent_key', 'channel_code', 'queue_key', 'service_type_code', 'source'],
  families=['contacts', 'visits', 'completions', 'surveys', 'states'],
) }}

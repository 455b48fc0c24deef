{#
  The additive figures that KPIs are made of, each defined once: family → measure → SQL over the family's fact.
  Ratios are made of these sums in core/kpi/kpis.yml and nowhere else. Empty sums become 0 in kpi_table_of.
#}
{% macro measures() %}
  {{ return({
    'contacts': {
      'contacts': 'count(*)',
      'outbound_contacts': "count(*) filter (where direction = 'out')",
      'contacts_answered': 'count(*) filter (where is_answered)',
      'contacts_abandoned': 'count(*) filter (where is_abandoned)',
      'ended_in_ivr': 'count(*) filter (where is_ended_in_ivr)',
      'blocked': 'count(*) filter (where is_blocked)',
      'contacts_in_ivr': 'count(*) filter (where is_in_ivr)',
      'contacts_contained': 'count(*) filter (where is_ended_in_ivr and is_self_served)',
      'ivr_seconds': 'sum(ivr_seconds)',
      'contacts_with_ticket': 'count(*) filter (where has_ticket)',
      'first_contacts': 'count(*) filter (where is_first_contact and has_no_repeat is not null)',
      'first_contacts_resolved': 'count(*) filter (where is_first_contact and has_no_repeat)',
    },
    'visits': {
      'offered': 'count(*)',
      'answered': 'count(*) filter (where is_answered)',
      'handled': 'count(*) filter (where is_handled)',
      'abandoned': 'count(*) filter (where is_abandoned)',
      'short_abandoned': 'count(*) filter (where is_short_abandon)',
      'timed_out': "count(*) filter (where exit_class = 'timeout')",
      'left_by_key': "count(*) filter (where exit_class = 'key_exit')",
      'left_empty': "count(*) filter (where exit_class = 'leave_empty')",
      'diverted': "count(*) filter (where exit_class = 'diverted')",
      'transferred_waiting': "count(*) filter (where exit_class = 'transferred')",
      'exit_unknown': "count(*) filter (where exit_class = 'unknown')",
      'waiting': "count(*) filter (where exit_class = 'waiting')",
      'answered_within_target': 'count(*) filter (where answered_within_target)',
      'answered_within_queue_target': 'count(*) filter (where answered_within_queue_target)',
      'abandoned_within_target': 'count(*) filter (where abandoned_within_target)',
      'transferred': 'count(*) filter (where is_transferred)',
      'answered_wait_seconds': 'sum(wait_seconds) filter (where is_answered)',
      'abandoned_wait_seconds': 'sum(wait_seconds) filter (where is_abandoned)',
      'talk_seconds': 'sum(talk_seconds) filter (where is_answered)',
      'handled_talk_seconds': 'sum(talk_seconds) filter (where is_handled)',
      'hold_seconds': 'sum(hold_seconds) filter (where is_handled)',
      'wrap_up_seconds': 'sum(wrap_up_seconds) filter (where is_handled)',
    },
    'completions': {
      'completed': 'count(*)',
      'completed_handle_seconds': 'sum(talk_seconds + hold_seconds + wrap_up_seconds)',
    },
    'tickets': {
      'tickets': 'count(*)',
      'complaints': 'count(*) filter (where is_complaint)',
      'tickets_open': 'count(*) filter (where is_open)',
      'tickets_dispatched': 'count(*) filter (where is_dispatched)',
      'tickets_resolved': 'count(*) filter (where is_resolved)',
      'tickets_closed': 'count(*) filter (where is_closed)',
      'tickets_reopened': 'count(*) filter (where reopen_count > 0)',
      'tickets_returned': 'count(*) filter (where return_count > 0)',
      'tickets_rejected': 'count(*) filter (where rejection_count > 0)',
      'first_response_ended': 'count(*) filter (where is_first_response_met is not null)',
      'first_response_met': 'count(*) filter (where is_first_response_met)',
      'resolution_ended': 'count(*) filter (where is_resolution_met is not null)',
      'resolution_met': 'count(*) filter (where is_resolution_met)',
      'tickets_timed': 'count(*) filter (where hours_to_resolve is not null)',
      'hours_to_resolve': 'sum(hours_to_resolve)',
    },
    'surveys': {
      'surveys_asked': 'count(*)',
      'surveys_answered': 'count(*) filter (where is_answered)',
      'score_sum': 'sum(score)',
    },
    'rejects': {
      'rejected': 'count(*)',
    },
    'seats': {
      'installed_seconds': 'sum(installed_seconds_open)',
      'occupied_seconds': 'sum(occupied_seconds)',
      'seat_on_contact_seconds': 'sum(on_contact_seconds) filter (where seat_key <> 0)',
      'on_contact_seconds': 'sum(on_contact_seconds)',
      'available_seconds': 'sum(available_seconds)',
      'pause_seconds': 'sum(pause_seconds)',
      'paid_pause_seconds': 'sum(paid_pause_seconds)',
    },
    'states': {
      'on_contact_seconds': "sum(seconds) filter (where state in ('alerting', 'talk', 'hold', 'wrap_up'))",
      'available_seconds': "sum(seconds) filter (where state = 'available')",
      'pause_seconds': "sum(seconds) filter (where state = 'pause')",
      'paid_pause_seconds': "sum(seconds) filter (where state = 'pause' and pause_paid)",
    },
    'shifts': {
      'scheduled_seconds': 'sum(scheduled_seconds)',
      'scheduled_worked_seconds': 'sum(worked_seconds)',
      'scheduled_pause_seconds': 'sum(pause_seconds)',
      'scheduled_absent_seconds': 'sum(absent_seconds)',
    },
  }) }}
{% endmacro %}

{# Where each family is read, and the dimensions that it has under another name, or only as unknown members. #}
{% macro measure_families() %}
  {% set no_contact = {'channel_code': "'unknown'", 'queue_key': '0', 'service_type_code': "'unknown'", 'product_code': "'unknown'"} %}
  {{ return({
    'contacts': {'from': ref('fct_contact'), 'dimensions': {}},
    'visits': {'from': ref('fct_queue_visit'), 'dimensions': {}},
    'completions': {
      'from': ref('fct_queue_visit'), 'where': 'is_handled',
      'dimensions': {'date_key': 'ended_date_key', 'half_hour_key': 'ended_half_hour_key'},
    },
    'tickets': {
      'from': ref('fct_ticket'),
      'dimensions': {'date_key': 'created_date_key', 'queue_key': '0', 'agent_key': '0'},
    },
    'surveys': {'from': ref('fct_survey_answer'), 'dimensions': {}},
    'rejects': {
      'from': ref('fct_import_reject'),
      'dimensions': {'queue_key': '0', 'product_code': "'unknown'", 'agent_key': '0'},
    },
    'seats': {'from': ref('fct_seat_half_hour'), 'dimensions': dict(no_contact, agent_key='0', source="'captured'"), 'is_seat_time': true},
    'states': {'from': ref('fct_agent_state'), 'dimensions': no_contact, 'is_seat_time': true},
    'shifts': {'from': ref('fct_shift_half_hour'), 'dimensions': dict(no_contact, source="'captured'"), 'is_seat_time': true},
  }) }}
{% endmacro %}

{#
  One row a combination of `dimensions` with every measure of `families`. `is_seat_time` marks the rows of agents'
  and seats' time, which know no channel, queue or type: who groups by these leaves such rows out.
  Each family is summed on its own, then laid beside the others: one grouping of all with every measure in every row
  takes twice as long and many times the memory.
#}
{% macro summed_kpi_table_of(dimensions, families) %}
  {% set owners = {} %}
  {% for family in families %}
    {% for name in measures()[family] %}{% do owners.update({name: family}) %}{% endfor %}
  {% endfor %}
  {% set key = dimensions + ['is_seat_time'] %}
  with

  {% for family in families %}
  of_{{ family }} as materialized ({{ family_sums(dimensions, family) }}),
  {% endfor %}

  cells as (
    {% for family in families %}
    select {{ key | join(', ') }} from of_{{ family }}
    {{ 'union' if not loop.last }}
    {% endfor %}
  )

  select
    {{ key | join(', ') }},
    {% for name, family in owners.items() -%}
    coalesce(of_{{ family }}.{{ name }}, 0) as {{ name }}{{ ',' if not loop.last }}
    {% endfor %}
  from cells
  {% for family in families %}
  left join of_{{ family }} using ({{ key | join(', ') }})
  {% endfor %}
{% endmacro %}

{# The measures of one family by `dimensions`. #}
{% macro family_sums(dimensions, family) %}
  {% set place = measure_families()[family] %}
  select
    {% for dimension in dimensions -%}
    {{ place.dimensions.get(dimension, dimension) }} as {{ dimension }},
    {% endfor -%}
    {{ place.get('is_seat_time', false) }} as is_seat_time,
    {% for name, expression in measures()[family].items() -%}
    {% if name.endswith('_seconds') or name == 'hours_to_resolve' -%}
    coalesce({{ expression }}, 0) as {{ name }}{{ ',' if not loop.last }}
    {% else -%}
    cast(coalesce({{ expression }}, 0) as bigint) as {{ name }}{{ ',' if not loop.last }}
    {% endif -%}
    {% endfor %}
  from {{ place['from'] }}
  where {{ place.get('where', 'true') }}
  {{ only_affected(place.dimensions.get('date_key', 'date_key'), 'affected_days', 'and', 'date_key') }}
  group by {% for dimension in dimensions -%}
    {% set column = place.dimensions.get(dimension, dimension) %}
    {%- if not column[0] in "'0" %}{{ column }}, {% endif %}
  {%- endfor %}is_seat_time
{% endmacro %}

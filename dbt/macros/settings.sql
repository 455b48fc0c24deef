{# T of the service levels and S of short abandons, in seconds (core/settings.py). #}
{% macro service_level_seconds() %}{{ env_var('CRM_SERVICE_LEVEL_SECONDS', '20') | int }}{% endmacro %}
{% macro short_abandon_seconds() %}{{ env_var('CRM_SHORT_ABANDON_SECONDS', '5') | int }}{% endmacro %}

"""Runs dbt, gates, publishes, hands out read connections to published marts."""

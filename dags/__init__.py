"""Airflow's schedules: each task calls one function that a `crm` command also calls."""

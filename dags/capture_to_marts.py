"""Every quarter of an hour: what was captured reaches the published marts."""

from datetime import timedelta

from airflow.sdk import CronTriggerTimetable, dag, task

from dags.common import BEGIN, CAPTURE_SCHEDULE, DEFAULTS, MARTS, WAREHOUSE_POOL, ZONE, step, told_of_delay
from dags.gates import gate, gate_and_publish


@dag(
    schedule=CronTriggerTimetable(CAPTURE_SCHEDULE, timezone=ZONE),
    start_date=BEGIN,
    # After a day's outage one run brings everything: loads go by row versions, not by time.
    catchup=False,
    max_active_runs=1,
    # Of those that wait for the warehouse it goes first: training can wait, figures are looked at.
    default_args=DEFAULTS | {"priority_weight": 100},
    dagrun_timeout=timedelta(minutes=30),
    on_failure_callback=told_of_delay,
    tags=["marts"],
)
def capture_to_marts() -> None:
    """Ingest, gate of the lake, build with its tests, gate of the marts and publication, dbt's documents."""

    @task(pool=WAREHOUSE_POOL)
    @step
    def ingest() -> dict[str, int]:
        from ingestion.load import ingest as run

        return dict(run().rows)

    @task(pool=WAREHOUSE_POOL)
    @step
    def gate_lake() -> str:
        return gate()

    @task(pool=WAREHOUSE_POOL)
    @step
    def build() -> str:
        from warehouse.build import build as run

        return run().built_at

    @task(pool=WAREHOUSE_POOL, outlets=[MARTS])
    @step
    def publish() -> str:
        return gate_and_publish()

    @task(pool=WAREHOUSE_POOL)
    @step
    def keep_documents(publication: str) -> str:
        from warehouse.documents import keep_documents as run

        return str(run(publication))

    published = publish()
    ingest() >> gate_lake() >> build() >> published
    keep_documents(published)  # type: ignore[arg-type]  # a task's result, given as its argument when it runs


capture_to_marts()

"""Each Sunday night: fewer lake files, nothing past its days, a backup, and the proof that it can be restored."""

from datetime import timedelta
from pathlib import Path

from airflow.sdk import CronTriggerTimetable, dag, task

from dags.common import BEGIN, DEFAULTS, WAREHOUSE_POOL, ZONE, step, told_of_delay


@dag(
    schedule=CronTriggerTimetable("0 2 * * 0", timezone=ZONE),
    start_date=BEGIN,
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULTS,
    dagrun_timeout=timedelta(hours=6),
    on_failure_callback=told_of_delay,
    tags=["care"],
)
def maintain() -> None:
    """Compaction, retention, pruning; then a backup and its drill: a backup that was never restored is none."""

    @task(pool=WAREHOUSE_POOL)
    @step
    def compact() -> dict[str, float]:
        from dataclasses import asdict

        from cli.maintain import compact_lake

        return asdict(compact_lake())

    @task
    @step
    def forget() -> dict[str, int]:
        from dataclasses import asdict

        from cli.maintain import forget_old

        return asdict(forget_old())

    @task(pool=WAREHOUSE_POOL)
    @step
    def prune() -> dict[str, int]:
        from dataclasses import asdict

        from cli.maintain import prune_copies

        return asdict(prune_copies())

    @task(pool=WAREHOUSE_POOL)
    @step
    def back_up() -> str:
        from cli.backup import backup

        return str(backup().file)

    @task
    @step
    def drill(archive: str) -> int:
        from cli.backup import drill as run

        return run(Path(archive)).figures

    archive = back_up()
    compact() >> forget() >> prune() >> archive
    drill(archive)  # type: ignore[arg-type]  # a task's result, given as its argument when it runs


maintain()

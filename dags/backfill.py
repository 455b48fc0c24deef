"""By hand: build everything anew from the lake, publish, send reports of past days to who never got them."""

from datetime import date, timedelta

from airflow.sdk import Param, dag, task

from dags.common import BEGIN, DEFAULTS, MARTS, WAREHOUSE_POOL, step
from dags.gates import gate, gate_and_publish


@dag(
    schedule=None,
    start_date=BEGIN,
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULTS,
    tags=["marts", "by hand"],
    params={
        "full_refresh": Param(True, type="boolean", description="Every mart anew; otherwise what new loads touch."),
        "reports_from": Param("", type="string", description="First day whose reports are sent; empty: none."),
        "reports_to": Param("", type="string", description="Last day; empty: the same."),
        "kinds": Param(["daily"], type="array", description="daily, weekly, monthly"),
    },
)
def backfill() -> None:
    """After a correction of history: the marts, then the reports that were never sent."""

    @task(pool=WAREHOUSE_POOL)
    @step
    def gate_lake() -> str:
        return gate()

    @task(pool=WAREHOUSE_POOL)
    @step
    def build(params: dict[str, object] | None = None) -> str:
        from warehouse.build import build as run

        return run(full_refresh=bool((params or {}).get("full_refresh", True))).built_at

    @task(pool=WAREHOUSE_POOL, outlets=[MARTS])
    @step
    def publish() -> str:
        return gate_and_publish()

    @task
    @step
    def send_reports(params: dict[str, object] | None = None) -> list[str]:
        from cli.report import send_reports as run

        given = params or {}
        first, last = str(given.get("reports_from") or ""), str(given.get("reports_to") or "")
        kinds = given.get("kinds")
        sent = []
        for day in days(first, last or first):
            for kind in kinds if isinstance(kinds, list) else ["daily"]:
                sent += run(str(kind), day=day, tell=print).sent
        return sent

    gate_lake() >> build() >> publish() >> send_reports()


def days(first: str, last: str) -> list[date]:
    """The days from `first` to `last`; none if `first` is empty."""
    if not first:
        return []
    begin, end = date.fromisoformat(first), date.fromisoformat(last)
    return [begin + timedelta(days=number) for number in range((end - begin).days + 1)]


backfill()

"""Schedules: one writer, one run after an outage, retries only where they can help, people told of what failed."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
from aiosmtpd.controller import Controller
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import DAG
from airflow.sdk.exceptions import AirflowFailException

from core.errors import CrmError, GateFailedError, StoreUnavailableError
from core.settings import Settings
from dags.alerts import AlertSettings, tell
from dags.backfill import days
from dags.common import WAREHOUSE_POOL, step
from dags.held import tell_of_ends, tell_of_hold
from tests.dags.conftest import ROOT, Airflow
from tests.reports.test_sending import Inbox
from tests.servers import free_port
from warehouse.gate_history import GateRun, judged, keep, released

#: Every schedule that there is.
SCHEDULES = {
    "backfill", "capture_to_marts", "forecast_and_staff", "kpi_reports", "maintain", "reconcile_telephony",
    "score_customers", "train_models",
}  # fmt: skip
#: Tasks that write the lake, open the warehouse, publish, or must not meet one that does.
WRITERS = {
    "ingest", "gate_lake", "build", "publish", "keep_documents", "train", "score", "forecast", "compact", "prune",
    "back_up",
}  # fmt: skip


@pytest.fixture(scope="module")
def bag(airflow: Airflow) -> DagBag:
    """Every DAG, parsed as Airflow does."""
    with airflow.as_environment():
        return DagBag(dag_folder=str(ROOT / "dags"))


def _dags(bag: DagBag) -> list[DAG]:
    return list(bag.dags.values())  # type: ignore[arg-type]  # Airflow's bag holds its own kind


def test_every_schedule_parses(bag: DagBag) -> None:
    assert bag.import_errors == {}
    assert set(bag.dags) == SCHEDULES


def test_an_outage_is_made_up_by_one_run(bag: DagBag) -> None:
    for dag in _dags(bag):
        assert (dag.catchup, dag.max_active_runs) == (False, 1), dag.dag_id


def test_the_warehouse_has_one_writer(bag: DagBag) -> None:
    writers = {task.task_id: task.pool for dag in _dags(bag) for task in dag.tasks if task.task_id in WRITERS}
    assert set(writers) == WRITERS
    assert set(writers.values()) == {WAREHOUSE_POOL}
    weights = {dag.dag_id: {task.priority_weight for task in dag.tasks} for dag in _dags(bag)}
    assert min(weights.pop("capture_to_marts")) > max(weight for each in weights.values() for weight in each)


def test_failures_and_delays_are_told(bag: DagBag) -> None:
    for dag in _dags(bag):
        assert all(task.on_failure_callback for task in dag.tasks), dag.dag_id
        assert dag.dag_id == "backfill" or (dag.dagrun_timeout and dag.on_failure_callback), dag.dag_id


def test_what_cannot_pass_fails_at_once() -> None:
    def fails(error: CrmError) -> None:
        raise error

    with pytest.raises(AirflowFailException, match="the sum is off"):
        step(fails)(GateFailedError("the sum is off"))
    with pytest.raises(StoreUnavailableError):
        step(fails)(StoreUnavailableError("away"))
    assert step(lambda: 7)() == 7


def test_days_of_a_backfill() -> None:
    assert days("", "") == []
    assert [str(day) for day in days("2026-02-27", "2026-03-01")] == ["2026-02-27", "2026-02-28", "2026-03-01"]


@pytest.fixture
def hook() -> Iterator[tuple[str, list[dict[str, str]]]]:
    """A web server that keeps what is posted to it."""
    got: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

    server = HTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/", got
    server.shutdown()


def test_an_alert_reaches_mail_and_webhook(
    hook: tuple[str, list[dict[str, str]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    inbox, port = Inbox(), free_port()
    controller = Controller(inbox, hostname="127.0.0.1", port=port)
    controller.start()
    monkeypatch.setenv("CRM_SMTP_HOST", "127.0.0.1")
    monkeypatch.setenv("CRM_SMTP_PORT", str(port))
    url, got = hook
    try:
        assert (
            tell("build failed", "sum_of_exits: 3 rows\n  row 1", AlertSettings(emails="a@example.com", webhook=url))
            == []
        )
    finally:
        controller.stop()
    ((to, mail),) = inbox.mails
    body = mail.get_payload(decode=True)
    assert to == "a@example.com" and "build failed" in str(mail["Subject"])
    assert isinstance(body, bytes) and b"sum_of_exits: 3 rows" in body
    assert got == [{"subject": "build failed", "text": "sum_of_exits: 3 rows\n  row 1"}]


def test_an_alert_that_cannot_be_told_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CRM_SMTP_HOST", raising=False)
    troubles = tell("x", "y", AlertSettings(emails="a@example.com", webhook="file:///etc/passwd"))
    assert len(troubles) == 2


@pytest.mark.parametrize(
    "dag_id",
    [
        pytest.param(name, marks=[] if name == "capture_to_marts" else pytest.mark.slow)
        for name in ("capture_to_marts", "reconcile_telephony", "backfill", "kpi_reports")
    ],
)
def test_a_schedule_runs(airflow: Airflow, small_home: Path, dag_id: str) -> None:
    done = airflow.run("dags", "test", dag_id, CRM_HOME=str(small_home))
    assert done.returncode == 0, done.stdout[-4000:]
    assert "state=failed" not in done.stdout and "up_for_retry" not in done.stdout
    if dag_id == "capture_to_marts":
        settings = Settings(home=small_home)
        pointer = json.loads((settings.published / "CURRENT.json").read_text(encoding="utf-8"))
        documents = settings.published / f"documents_{pointer['run_id']}"
        assert (documents / "index.html").stat().st_size > 100_000 and (documents / "manifest.json").exists()


def test_a_gate_that_stays_held_is_told_at_its_begin_daily_and_at_its_end(
    hook: tuple[str, list[dict[str, str]]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    url, got = hook
    monkeypatch.setenv("CRM_ALERT_WEBHOOK", url)
    settings = Settings(home=tmp_path)
    begin = datetime(2026, 3, 2, 9, tzinfo=UTC)

    def cycle(quarters: int, *broken: str) -> GateRun:
        """One run of the schedule, so many quarters of an hour after the first; the subjects it told go to `got`."""
        found = [
            {"suite": "marts.fct_contact", "expectation": "expect_values_to_be_between", "columns": name, "rows": 9,
             "severity": "stop", "holds": name not in broken, "observed": 1}
            for name in ("rows", "sum_of_exits")
        ]  # fmt: skip
        run = judged(f"2026{quarters:06d}", "marts", found)
        keep(settings, run)
        if run.is_held:
            message = f"A gate does not hold (run {run.run_id}); nothing was published"
            assert tell_of_hold(message, settings, begin + timedelta(minutes=15 * quarters))
        else:
            tell_of_ends(settings)
        return run

    def subjects() -> list[str]:
        told = [each["subject"].removeprefix("the gate of the marts ") for each in got]
        got.clear()
        return told

    for quarter in range(5):
        cycle(quarter, "rows")
    assert subjects() == ["is held"]
    cycle(5, "rows", "sum_of_exits")
    assert subjects() == ["is held"]
    for quarter in (6, 100, 101, 102, 196):
        cycle(quarter, "rows", "sum_of_exits")
    assert subjects() == ["is still held"]
    cycle(201)
    cycle(202)
    assert subjects() == ["is no longer held"]
    # A person lets it pass; the next build is held again for the same: that is news.
    keep(settings, released(cycle(203, "rows"), "boss", "a strike"))
    cycle(204, "rows")
    assert [each["text"] for each in got if "a strike" in each["text"]]
    assert subjects() == ["is held", "is no longer held", "is held"]
    # What nobody received is told again.
    cycle(205)
    monkeypatch.setenv("CRM_ALERT_WEBHOOK", f"http://127.0.0.1:{free_port()}/")
    cycle(206, "rows")
    monkeypatch.setenv("CRM_ALERT_WEBHOOK", url)
    cycle(207, "rows")
    assert subjects() == ["is no longer held", "is held"]
    assert not tell_of_hold("the disk is full", settings)


@pytest.mark.parametrize("content", ["", '{"marts": {"run": "2026', '{"marts": 7}', "[]", "\udcff"])
def test_a_damaged_record_of_what_was_told_is_said_and_stops_nothing(
    hook: tuple[str, list[dict[str, str]]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str
) -> None:
    url, got = hook
    monkeypatch.setenv("CRM_ALERT_WEBHOOK", url)
    settings, now = Settings(home=tmp_path), datetime(2026, 3, 2, 9, tzinfo=UTC)
    record = tmp_path / "alerts" / "held.json"
    record.parent.mkdir()
    record.write_bytes(content.encode("utf-8", "surrogateescape"))
    rows = [{"suite": "marts.fct_contact", "expectation": "expect_values_to_be_between", "columns": "rows", "rows": 9,
             "severity": "stop", "holds": False, "observed": 1}]  # fmt: skip
    keep(settings, judged("2026000000", "marts", rows))
    for minutes in (0, 15):
        assert tell_of_hold("A gate does not hold (run 2026000000)", settings, now + timedelta(minutes=minutes))
    assert [each["subject"] for each in got] == ["the record of held gates is damaged", "the gate of the marts is held"]
    assert (record.parent / "held.damaged.json").exists() and json.loads(record.read_text(encoding="utf-8"))["marts"]
    record.write_text("{", encoding="utf-8")
    tell_of_ends(settings)
    assert got[-1]["subject"] == "the record of held gates is damaged"

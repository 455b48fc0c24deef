"""A real scheduler: cycles run by themselves, a killed one heals, a report arrives once (LocalExecutor, PostgreSQL).

Takes minutes: it belongs to make test-full.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from email.header import decode_header, make_header
from pathlib import Path

import psutil
import pytest
from aiosmtpd.controller import Controller
from sqlalchemy import create_engine, make_url, select, text

from core.actor import Actor
from core.database import make_engine, session_scope
from core.errors import NotPublishedError
from core.scope import PROVINCE
from core.settings import Settings
from core.time import to_local, utc_now
from crm_api.contacts.service import ContactPayload, receive
from crm_api.organisation.models import OrgUnit
from crm_api.subscriptions.service import subscribe
from tests.dags.conftest import ROOT, Airflow
from tests.reports.test_sending import Inbox
from tests.servers import free_port
from warehouse.kpi import kpi_table
from warehouse.publication import current
from warehouse.reader import open_reader

pytestmark = [pytest.mark.slow, pytest.mark.postgresql, pytest.mark.timeout(1800)]

#: Seconds that a condition may take on a busy machine.
_PATIENCE = 600


def _until(what: str, holds: Callable[[], bool]) -> None:
    """Wait on a condition."""
    ends = time.monotonic() + _PATIENCE
    while not holds():
        assert time.monotonic() < ends, f"{what}: not within {_PATIENCE} s"
        time.sleep(0.2)


class Stack:
    """Airflow's services, each in a process group of its own, on a store and a home of the test."""

    def __init__(self, airflow: Airflow, logs: Path, settings: Settings) -> None:
        self.airflow, self.logs, self.settings = airflow, logs, settings
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, *service: str) -> None:
        log = (self.logs / f"{service[0]}.log").open("ab")
        self.running[service[0]] = subprocess.Popen(
            [sys.executable, "-m", "airflow", *service], cwd=self.logs, env=self.airflow.environment, stdout=log,
            stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip

    def kill(self, service: str) -> None:
        """End a service and every process of it at once, as a power cut does: tasks have sessions of their own."""
        process = self.running.pop(service)
        family = [*psutil.Process(process.pid).children(recursive=True), psutil.Process(process.pid)]
        for each in family:
            with suppress(psutil.NoSuchProcess):
                each.kill()
        process.wait()

    def asked(self, query: str, **values: str) -> list[str]:
        """A column of Airflow's own tables: its command takes ten seconds to say the same."""
        engine = create_engine(self.airflow.environment["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"])
        with engine.connect() as connection:
            found = [str(value) for value in connection.scalars(text(query), values)]
        engine.dispose()
        return found

    def contacts(self) -> int:
        """What the dashboards' own question answers; 0 before the first publication."""
        try:
            reader = open_reader(current(self.settings), PROVINCE)
        except NotPublishedError:
            return 0
        return int(kpi_table(reader, None, None, kpis=["contacts"])["contacts"].item())

    def building(self) -> bool:
        """Whether a build holds the warehouse now."""
        try:
            held = json.loads((self.settings.home / "warehouse" / "warehouse.lock").read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return False
        return bool(held["work"] == "build") and Path(f"/proc/{held['process']}").exists()


@pytest.fixture
def inbox() -> Iterator[tuple[Inbox, int]]:
    """A real SMTP server."""
    handler, port = Inbox(), free_port()
    controller = Controller(handler, hostname="127.0.0.1", port=port)
    controller.start()
    yield handler, port
    controller.stop()


@pytest.fixture
def stack(postgresql_url: str, inbox: tuple[Inbox, int], tmp_path: Path) -> Iterator[Stack]:
    """A small province on PostgreSQL, and Airflow with LocalExecutor beside it; two schedules are on."""
    admin = create_engine(make_url(postgresql_url).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text("CREATE DATABASE airflow_scheduler"))
    admin.dispose()
    database = make_url(postgresql_url).set(drivername="postgresql+psycopg", database="airflow_scheduler")
    address, port = database.render_as_string(hide_password=False), free_port()
    airflow = Airflow(
        tmp_path / "airflow",
        CRM_HOME=str(tmp_path / "home"),
        CRM_DATABASE_URL=postgresql_url,
        CRM_CAPTURE_SCHEDULE="* * * * *",
        CRM_SMTP_HOST="127.0.0.1",
        CRM_SMTP_PORT=str(inbox[1]),
        AIRFLOW__DATABASE__SQL_ALCHEMY_CONN=address,
        AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC=address,
        AIRFLOW__DATABASE__SQL_ALCHEMY_POOL_SIZE="3",
        AIRFLOW__DATABASE__SQL_ALCHEMY_MAX_OVERFLOW="5",
        AIRFLOW__CORE__EXECUTOR="LocalExecutor",
        AIRFLOW__CORE__PARALLELISM="2",
        AIRFLOW__CORE__EXECUTION_API_SERVER_URL=f"http://127.0.0.1:{port}/execution/",
        AIRFLOW__API__PORT=str(port),
        AIRFLOW__API_AUTH__JWT_SECRET="a secret of this test, long enough for its purpose",
        AIRFLOW__CORE__INTERNAL_API_SECRET_KEY="another",
        AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT=str(free_port()),
        AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT="40",
        AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD="20",
        AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL="15",
        AIRFLOW__SCHEDULER__ENABLE_HEALTH_CHECK="False",
    )
    for arguments in (("db", "migrate"), ("pools", "set", "warehouse", "1", "DuckDB has one writer")):
        done = airflow.run(*arguments)
        assert done.returncode == 0, done.stdout
    made = Stack(airflow, tmp_path, Settings(home=tmp_path / "home", database_url=postgresql_url))
    _crm(airflow, "simulate", "--customers", "400", "--days", "10", "--seed", "1")
    made.start("api-server", "--workers", "1")
    made.start("dag-processor")
    made.start("scheduler")
    needed = {"capture_to_marts", "kpi_reports"}
    _until("the schedules are known", lambda: needed <= set(made.asked("select dag_id from dag")))
    for dag in needed:
        assert airflow.run("dags", "unpause", dag).returncode == 0
    yield made
    for service in list(made.running):
        made.kill(service)


def _crm(airflow: Airflow, *arguments: str) -> None:
    subprocess.run(
        [sys.executable, "-m", "cli.main", *arguments], cwd=ROOT, env=airflow.environment, check=True,
        capture_output=True,
    )  # fmt: skip


def _call(settings: Settings, external_id: str) -> None:
    """A new contact, through the door of every channel."""
    engine = make_engine(settings)
    with session_scope(engine) as session:
        province = session.scalars(select(OrgUnit).where(OrgUnit.kind == "province")).one()
        actor = Actor("test", "supervisor", province.id, "province")
        receive(session, channel="voice", external_id=external_id, payload=ContactPayload(started_at=utc_now()),
                actor=actor)  # fmt: skip
    engine.dispose()


def _subscribe(settings: Settings, email: str) -> None:
    engine = make_engine(settings)
    with session_scope(engine) as session:
        province = session.scalars(select(OrgUnit).where(OrgUnit.kind == "province")).one()
        actor = Actor("manager", "manager", province.id, "province")
        subscribe(session, actor=actor, kind="daily", unit_code="province", email=email, language="en", forms=("pdf",))
    engine.dispose()


def _trigger_reports(stack: Stack, run: str, day: str) -> None:
    conf = json.dumps({"day": day})
    done = stack.airflow.run("dags", "trigger", "kpi_reports", "--run-id", run, "--conf", conf)
    assert done.returncode == 0, done.stdout


def _states(stack: Stack) -> list[str]:
    """How the runs of the reports ended that are over."""
    return stack.asked(
        "select state from dag_run where dag_id = 'kpi_reports' and run_id in ('once', 'again')"
        " and state in ('success', 'failed')"
    )


def test_cycles_run_by_themselves_a_killed_one_is_healed_and_a_report_arrives_once(
    stack: Stack, inbox: tuple[Inbox, int]
) -> None:
    _until("the first cycle publishes", lambda: stack.contacts() > 0)
    before = stack.contacts()
    _call(stack.settings, "a-new-call")
    _until("a new call reaches the dashboards", lambda: stack.contacts() == before + 1)

    _call(stack.settings, "during-the-build")
    _until("a build runs", stack.building)
    good = current(stack.settings)
    stack.kill("scheduler")
    assert stack.contacts() in (before + 1, before + 2) and good.file.exists()
    assert not list(stack.settings.published.glob("*.tmp"))
    stack.start("scheduler")
    _until("the cycle heals", lambda: stack.contacts() == before + 2)

    _subscribe(stack.settings, "boss@example.com")
    day = (to_local(utc_now()).date() - timedelta(days=3)).isoformat()
    # The cycles have shown what they do: they would only take the processors from what follows.
    assert stack.airflow.run("dags", "pause", "capture_to_marts").returncode == 0
    for run in ("once", "again"):
        _trigger_reports(stack, run, day)
    _until("both runs of the reports are over", lambda: len(_states(stack)) == 2)
    assert _states(stack) == ["success", "success"]
    reports = [mail for to, mail in inbox[0].mails if to == "boss@example.com"]
    titles = [str(make_header(decode_header(str(mail["Subject"])))) for mail in reports]
    assert len(titles) == 1 and day in titles[0], titles
    assert [part.get_content_type() for part in reports[0].walk()].count("application/pdf") == 1

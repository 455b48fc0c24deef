"""`crm doctor`: every trouble is found and has its mend."""

import json
import shutil
import sqlite3
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import create_engine, make_url, text

from cli.checks import Check, ago, size
from cli.checks.environment import disk, holidays, packages, python, settings
from cli.checks.pipeline_state import lake, published
from cli.checks.store import oldest_transaction
from cli.doctor import doctor
from core.database import make_engine
from core.errors import NotPublishedError
from core.lake import Load, new_load_id, record_load
from core.scope import PROVINCE
from core.settings import Settings, get_settings
from tests.dashboards.marts import publish_marts
from warehouse.publication import roll_back
from warehouse.reader import open_reader

NOW = datetime(2026, 11, 9, 2, 0, tzinfo=UTC)


def _run() -> tuple[int, dict[str, dict[str, Any]]]:
    result = CliRunner().invoke(doctor, ["--json"])
    content = json.loads(result.output)
    assert content["problems"] == sum(check["level"] == "problem" for check in content["checks"])
    return result.exit_code, {check["name"]: check for check in content["checks"]}


@pytest.mark.usefixtures("home")
def test_a_fresh_home_is_told_what_to_do_first() -> None:
    status, checks = _run()
    assert status == 1
    assert checks["store"]["mend"] == "Create it with: crm init"
    assert checks["lake"]["mend"] == "Load it with: crm pipeline"
    assert checks["published marts"]["mend"] == "Publish with: crm pipeline"
    assert all(check["mend"] for check in checks.values() if check["level"] != "ok")


def test_a_problem_is_printed_with_its_mend(home: Settings) -> None:
    output = CliRunner().invoke(doctor, []).output
    assert f"There is no operational store at {home.home}" in output
    assert "→ Create it with: crm init" in output


def _ready_store(home: Settings, template: Path) -> Path:
    store = home.home / "store" / "crm.sqlite"
    store.parent.mkdir(parents=True)
    shutil.copy(template, store)
    return store


def _load(home: Settings, at: datetime) -> None:
    stamp = at.isoformat()
    fields = {"epoch": 1, "store_id": "s", "cursor": 1, "snapshot_at": stamp, "completed_at": stamp}
    record_load(home.lake, Load(load_id=new_load_id(at), rows={"contacts": 5}, **fields))  # type: ignore[arg-type]  # kinds differ


def test_all_well_is_status_0(home: Settings, sqlite_template: Path) -> None:
    _ready_store(home, sqlite_template)
    _load(home, datetime.now(UTC) - timedelta(hours=1))
    home.warehouse_file.parent.mkdir()
    home.warehouse_file.touch()
    publish_marts(home, "first")
    status, checks = _run()
    assert [name for name, check in checks.items() if check["level"] == "problem"] == []
    assert status == 0
    assert "run first" in checks["published marts"]["detail"]


def test_a_locked_store_is_seen(home: Settings, sqlite_template: Path) -> None:
    with sqlite3.connect(_ready_store(home, sqlite_template), isolation_level=None) as writer:
        writer.execute("BEGIN IMMEDIATE")
        _, checks = _run()
        writer.execute("ROLLBACK")
    assert checks["store lock"]["level"] == "warning"
    assert _run()[1]["store lock"]["level"] == "ok"


@pytest.mark.postgresql
def test_the_oldest_open_transaction_has_its_age(postgresql_url: str) -> None:
    engine = make_engine(url=postgresql_url)
    other = create_engine(make_url(postgresql_url).set(drivername="postgresql+psycopg"))
    assert oldest_transaction(engine).detail == "none is open"
    with other.connect() as connection:
        connection.execute(text("SELECT 1"))
        found = oldest_transaction(engine)
        assert found.level == "ok" and "idle in transaction" in found.detail
    other.dispose()
    engine.dispose()


def test_a_stale_lake_and_stale_marts_are_problems(home: Settings) -> None:
    _load(home, NOW - timedelta(days=2))
    assert lake(home, NOW).level == "problem" and "2 d 0 h ago" in lake(home, NOW).detail
    later = publish_marts(home, "first").published_at + timedelta(days=3)
    assert published(home, later).level == "problem"


def test_loads_that_are_not_published_yet_are_told(home: Settings) -> None:
    publication = publish_marts(home, "first")
    _load(home, publication.published_at + timedelta(minutes=5))
    check = published(home, publication.published_at + timedelta(minutes=10))
    assert (check.level, check.mend) == ("warning", "Run: crm build, crm publish")


def test_published_marts_that_are_gone_are_a_problem(home: Settings) -> None:
    publication = publish_marts(home, "first")
    publication.file.unlink()
    check = published(home, publication.published_at)
    assert check.level == "problem" and "is gone" in check.detail
    # There is none before it to go back to.
    assert check.mend == "Publish anew with: crm build && crm publish"


@pytest.mark.parametrize("kept", [0, 100, 300_000, -1])
def test_published_marts_that_were_cut_are_a_problem_with_the_way_back(home: Settings, kept: int) -> None:
    publish_marts(home, "first")
    publication = publish_marts(home, "second")
    content = publication.file.read_bytes()
    publication.file.write_bytes(content[:kept])
    check = published(home, publication.published_at)
    assert check.level == "problem" and "second is damaged" in check.detail
    assert "crm publish --rollback" in check.mend
    with pytest.raises(NotPublishedError, match="is damaged"):
        open_reader(publication, PROVINCE)
    assert roll_back(home).run_id == "first"
    assert published(home, publication.published_at).level == "ok"


@pytest.mark.parametrize(
    ("today", "level"), [("2026-06-01", "ok"), ("2026-12-01", "warning"), ("2027-01-01", "problem")]
)
def test_holidays_that_run_out(today: str, level: str) -> None:
    assert holidays(date.fromisoformat(today), date(2026, 12, 31)).level == level


def test_packages_that_differ_from_the_lock(tmp_path: Path) -> None:
    lock = tmp_path / "requirements.lock"
    lock.write_text(
        'click==0.0.1 \\\n    --hash=sha256:0\nno-such-package==1.0\nwinonly==1 ; sys_platform == "win32"\n'
    )
    check = packages(lock)
    assert check.level == "problem"
    assert "click is" in check.detail and "no-such-package is not installed" in check.detail
    assert "winonly" not in check.detail
    assert packages(tmp_path / "gone").level == "warning"


def test_the_wrong_python() -> None:
    assert python((3, 11)).level == "ok"
    assert python((3, 13)).level == "problem"


@pytest.mark.usefixtures("home")
def test_settings_that_are_wrong_or_misspelt(monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings().level == "ok"
    monkeypatch.setenv("CRM_HOEM", "/tmp")
    assert settings() == Check("settings", "warning", "CRM_HOEM is not read", "Did you mean CRM_HOME?")
    monkeypatch.setenv("CRM_LANGUAGE", "fr")
    get_settings.cache_clear()
    assert settings().level == "problem"
    status, checks = _run()
    assert status == 1 and "'fr'" in checks["settings"]["detail"]


def test_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def free(count: int) -> Check:
        monkeypatch.setattr(shutil, "disk_usage", lambda _path: shutil._ntuple_diskusage(0, 0, count))  # type: ignore[attr-defined]  # the standard library's own tuple
        return disk(tmp_path / "not" / "yet")

    levels = [free(count).level for count in (10**6, 5 * 10**9, 10**11)]
    assert levels == ["problem", "warning", "ok"]


def test_ages_and_sizes_are_short() -> None:
    assert [ago(timedelta(minutes=minutes)) for minutes in (5, 65, 1500)] == ["5 min", "1 h 5 min", "1 d 1 h"]
    assert [size(count) for count in (5, 5_000, 5_000_000_000)] == ["5 B", "5.0 kB", "5.0 GB"]

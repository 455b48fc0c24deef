"""While the store is away each of the worker's jobs says so once and asks ever more rarely."""

import shutil
from collections.abc import Callable
from pathlib import Path
from threading import Event

import pytest
from sqlalchemy import Engine, text

from core.database import make_engine
from crm_api.web import background
from crm_api.worker import plugs
from crm_api.worker.loop import Done, work
from tests.crm_api.conftest import SETTINGS


class Rounds(Event):
    """Ends a job after four rounds; remembers how long it would have paused."""

    def __init__(self) -> None:
        super().__init__()
        self.pauses: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.pauses.append(timeout or 0.0)
        if len(self.pauses) > 4:
            self.set()
        return self.is_set()


def _ask(engine: Engine) -> bool:
    with engine.connect() as connection:
        return bool(connection.execute(text("SELECT 0")).scalar())


@pytest.mark.parametrize("job", ["worker", "webhooks and exchange", "jobs"])
def test_a_store_that_is_away_is_told_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, job: str
) -> None:
    engine = make_engine(url=f"sqlite:///{tmp_path / 'store' / 'gone.sqlite'}")
    shutil.rmtree(tmp_path / "store")
    monkeypatch.setattr(plugs, "JOBS", [_ask])
    stop, reported = Rounds(), list[Done]()
    jobs: dict[str, Callable[[], None]] = {
        "worker": lambda: work(engine, interval=1.0, stop=stop, report=reported.append),
        "webhooks and exchange": lambda: background.work(engine, SETTINGS, stop),
        "jobs": lambda: plugs.work(engine, stop),
    }
    with caplog.at_level("WARNING"):
        jobs[job]()
    assert len([record for record in caplog.records if job in record.getMessage()]) == 1
    assert stop.pauses[-1] >= 4 * stop.pauses[0]
    assert reported == []

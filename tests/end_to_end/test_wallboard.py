"""The wallboard in a real browser, before the real CRM: figures of now, the next call, and a CRM that goes away."""

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select

from core.database import make_engine, session_scope
from core.i18n import Language, texts
from core.time import utc_now
from crm_api.contacts.models import Contact, QueueVisit
from crm_api.identity.service import create_demo_users
from crm_api.routing import phones
from crm_api.workforce.models import Queue
from tests.browser import answers, until
from tests.end_to_end.conftest import serving
from tests.end_to_end.desk import Desk, Site
from tests.servers import free_port

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.browser


def _call(engine: Engine, *, ago: int, waited: int | None, how: str | None) -> None:
    now = utc_now()
    with session_scope(engine) as session:
        queue = session.scalars(select(Queue).order_by(Queue.code)).first()
        assert queue is not None
        entered = now - timedelta(seconds=ago)
        contact = Contact(
            channel_code="voice", external_id=f"board-{now}-{ago}", started_at=entered, outcome=how or "unknown"
        )
        session.add(contact)
        session.flush()
        session.add(
            QueueVisit(
                contact_id=contact.id,
                visit_number=1,
                queue_id=queue.id,
                entered_at=entered,
                exited_at=None if waited is None else entered + timedelta(seconds=waited),
                exit_class=how,
            )
        )


@pytest.fixture
def home(sqlite_template: Path, tmp_path: Path) -> Path:
    """A store with the demo's people and two calls of today."""
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "crm.sqlite").write_bytes(sqlite_template.read_bytes())
    engine = make_engine(url=f"sqlite:///{tmp_path / 'store' / 'crm.sqlite'}")
    with session_scope(engine) as session:
        create_demo_users(session)
        session.add(Queue(code="faults", name_zh="故障报修", name_en="Faults", calendar_code="always"))
    _call(engine, ago=30, waited=12, how="answered")
    _call(engine, ago=20, waited=2, how="answered")
    engine.dispose()
    return tmp_path


@pytest.fixture
def board(home: Path, chromium: Any) -> Iterator[tuple[Desk, str, Any]]:
    """A supervisor's screen: the browser, the pages' address and the CRM's process."""
    port = free_port()
    with serving(home) as (url, crm):
        environment = os.environ | {"CRM_HOME": str(home), "CRM_DASHBOARD_CRM_URL": url}
        environment.pop("CRM_DASHBOARD_SCOPE", None)
        command = [sys.executable, "-m", "cli.main", "dashboards", "--port", str(port)]
        server = subprocess.Popen(command, cwd=ROOT, env=environment)
        try:
            address = f"http://127.0.0.1:{port}/wallboard"
            until(lambda: answers(f"http://127.0.0.1:{port}/_stcore/health"), "the pages to answer")
            desk = Desk(chromium, Site(url, make_engine(url=f"sqlite:///{home / 'store' / 'crm.sqlite'}"), {}))
            desk.sit_down("supervisor")
            yield desk, address, crm
        finally:
            server.terminate()
            server.wait(20)


def test_the_board_follows_the_centre_and_says_when_it_cannot(board: tuple[Desk, str, Any]) -> None:
    desk, address, crm = board
    driver, engine = desk.driver, desk.site.engine

    def shown() -> str:
        with session_scope(engine) as session:
            phones.sign(session)  # as the listener does all the time
        return str(driver.execute_script("return document.body.innerText"))

    for language in ("en", "zh-CN"):
        text = texts("dashboards", language)
        driver.get(f"{address}?lang={language}&embed=true")
        until(lambda text=text: text("wallboard.live") in shown(), "the board to be live")  # type: ignore[misc]  # bound as a default
        assert "100%" in shown()
    _readable_from_afar(driver)

    _call(engine, ago=70, waited=None, how=None)
    until(lambda: "67%" in shown() and "1:1" in shown(), "the caller who waits")
    crm.kill()
    until(lambda: text("wallboard.away", at="")[:8] in shown(), "the board to say that the CRM is away")
    assert driver.find_elements("css selector", ".board.old")


def _readable_from_afar(driver: Any) -> None:
    driver.set_window_size(1920, 1080)
    size = "return parseFloat(getComputedStyle(document.querySelector('.board .tile strong')).fontSize)"
    until(lambda: driver.execute_script(size) >= 130, "figures of an eighth of the screen's height")
    wide = "const main = document.querySelector('[data-testid=stMain]'); return main.scrollWidth <= main.clientWidth"
    assert driver.execute_script(wide)
    driver.set_window_size(390, 844)
    until(lambda: driver.execute_script(wide), "a phone's width to hold it")
    driver.set_window_size(1400, 1000)


def test_somebody_without_the_right_sees_no_figure(board: tuple[Desk, str, Any]) -> None:
    desk, address, _ = board
    desk.sit_down("baoji_analyst")
    language: Language = "en"
    desk.driver.get(f"{address}?lang={language}")
    refused = texts("dashboards", language)("wallboard.refused", said="")
    until(lambda: refused in desk.driver.execute_script("return document.body.innerText"), "the refusal")
    assert desk.text(".board .tile strong") == "–"

"""`crm api` in a process of its own, and a desk before it."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from core.database import make_engine, session_scope
from crm_api.identity.service import create_demo_users
from tests.browser import answers, open_chromium, until
from tests.crm_api.world import PEOPLE, add_customer
from tests.end_to_end.desk import Desk, Site
from tests.servers import free_port, missing

if TYPE_CHECKING:
    from tests.end_to_end.phone_desk import Centre, PhoneDesk

ROOT = Path(__file__).parents[2]
LIBRARY = ROOT / "node_modules" / "htmx.org" / "dist" / "htmx.min.js"


@contextmanager
def serving(home: Path, **variables: str) -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    """`crm api` over the store of `home`: its address and its process."""
    port = free_port()
    environment = os.environ | {"CRM_HOME": str(home), "CRM_REQUESTS_PER_SECOND": "1000", "CRM_REQUESTS_BURST": "1000"}
    environment.pop("CRM_DATABASE_URL", None)
    command = [sys.executable, "-m", "cli.main", "api", "--port", str(port)]
    server = subprocess.Popen(command, cwd=ROOT, env=environment | variables)
    try:
        url = f"http://127.0.0.1:{port}"
        until(lambda: answers(f"{url}/readyz"), "the server", 60)
        yield url, server
    finally:
        server.kill()
        server.wait(20)


@pytest.fixture(scope="module")
def site(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """`crm api` in a process of its own, over a store with the demo's people and three customers."""
    if not LIBRARY.exists():
        missing("htmx", "make setup fetches the browser libraries")
    home = tmp_path_factory.mktemp("capture")
    (home / "store").mkdir()
    shutil.copy(sqlite_template, home / "store" / "crm.sqlite")
    engine = make_engine(url=f"sqlite:///{home / 'store' / 'crm.sqlite'}")
    with session_scope(engine) as session:
        create_demo_users(session)
        zhang = add_customer(session, PEOPLE["own"], key_level="gold")
        wei = add_customer(
            session,
            {**PEOPLE["own"], "code": "C3", "name": "张薇", "mobile": "+8613772001122", "account": "63", "card": "83"},
        )
        li = add_customer(session, PEOPLE["foreign"])
        customers = {"zhang": zhang.id, "wei": wei.id, "li": li.id}
    with serving(home) as (url, _):
        yield Site(url, engine, customers)
    engine.dispose()


@pytest.fixture(scope="module")
def desk(site: Site, chromium: Any) -> Desk:
    """A browser at the site."""
    return Desk(chromium, site)


@pytest.fixture(scope="session")
def centre(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator["Centre"]:
    """A contact centre with telephones, one for all tests that use it."""
    from tests.end_to_end.phone_desk import phone_centre

    with phone_centre(tmp_path_factory.mktemp("phone"), sqlite_template) as made:
        yield made


@pytest.fixture(scope="session")
def agent(centre: "Centre", tmp_path_factory: pytest.TempPathFactory) -> Iterator["PhoneDesk"]:
    """A desk with a telephone in its browser."""
    from tests.end_to_end.phone_desk import MICROPHONE, PhoneDesk

    with open_chromium(tmp_path_factory.mktemp("agent"), *MICROPHONE) as driver:
        yield PhoneDesk(driver, centre.site)


@pytest.fixture(scope="session")
def second(centre: "Centre", tmp_path_factory: pytest.TempPathFactory) -> Iterator["PhoneDesk"]:
    """Another one."""
    from tests.end_to_end.phone_desk import MICROPHONE, PhoneDesk

    with open_chromium(tmp_path_factory.mktemp("second"), *MICROPHONE) as driver:
        yield PhoneDesk(driver, centre.site)

"""`crm demo`: a small province from nothing to its pages and its agents' desk; a second start goes on from there."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, perf_counter, sleep
from types import FrameType
from typing import TYPE_CHECKING
from urllib.request import urlopen

import click

from cli.demo_insight import insight
from dashboards.commands import DEFAULT_PORT

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from core.settings import Settings

CUSTOMERS, DAYS, SEED = 20_000, 90, 1
API_PORT = 8080
#: Seconds that the API gets to answer, and to end.
STARTING, ENDING = 60.0, 10.0
#: What a shell reports for a process that Ctrl-C or a SIGTERM ended.
INTERRUPTED, TERMINATED = 130, 143


@click.command()
@click.option("--port", default=DEFAULT_PORT, show_default=True, type=click.IntRange(1, 65535), help="Of the pages.")
@click.option("--api-port", default=API_PORT, show_default=True, type=click.IntRange(1, 65535), help="Of the API and the agents' desk.")  # fmt: skip  # noqa: E501 - one line of help
@click.option("--home", type=click.Path(file_okay=False, path_type=Path), help="CRM_HOME of the demo. [default: var]")
@click.option("--customers", default=CUSTOMERS, show_default=True, type=click.IntRange(min=1))
@click.option("--days", default=DAYS, show_default=True, type=click.IntRange(min=1))
@click.option("--seed", default=SEED, show_default=True, type=click.IntRange(min=0))
@click.option("--telephony", is_flag=True, help="With phones: a private Asterisk (make asterisk; root).")
@click.option("--no-serve", is_flag=True, help="Prepare everything, then end.")
def demo(
    port: int, api_port: int, home: Path | None, customers: int, days: int, seed: int, telephony: bool, no_serve: bool
) -> None:
    """Set up a store with people, simulate a province, run the pipeline, serve pages and desk until Ctrl-C.

    Behind the served pages models are learnt, customers scored, a forecast and an example campaign shown. What an
    earlier run did is not done again; what it left unfinished is finished.
    """
    began = perf_counter()
    if home is not None:
        os.environ["CRM_HOME"] = str(home.resolve())
    from core.settings import get_settings

    get_settings.cache_clear()
    settings = get_settings()
    with _ended_by_sigterm():
        try:
            people = _fill(settings, customers, days, seed)
            if no_serve:
                _step("marts", lambda: _marts(settings))
                click.echo(f"Prepared in {perf_counter() - began:.0f} s.")
                return
            # The desk starts up while the marts are built.
            pages = _free_port(port)
            with _telephone(settings, telephony) as told, _desk(settings, api_port, pages) as desk:
                _step("marts", lambda: _marts(settings))
                with insight(settings) if people else nullcontext():
                    _serve(pages, desk, people, began, told)
        except KeyboardInterrupt:
            click.echo("\nStopped. The next start goes on from what is there.", err=True)
            sys.exit(INTERRUPTED)


@contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    """A SIGTERM unwinds like Ctrl-C, so that whatever a step started ends with it."""

    def leave(_signal: int, _frame: FrameType | None) -> None:
        raise SystemExit(TERMINATED)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _step(name: str, work: Callable[[], str]) -> None:
    """Do a piece of work and tell what it did and how long it took."""
    began = perf_counter()
    said = work()
    click.echo(f"  {name:<10}{perf_counter() - began:>6.1f} s  {said}", err=True)


def _fill(settings: "Settings", customers: int, days: int, seed: int) -> list[str]:
    """A store with people and a province; the names of the demo's users."""
    people: list[str] = []
    click.echo(f"Demo in {settings.home}", err=True)
    _step("store", _store)
    _step("people", lambda: _people(settings, people))
    _step("province", lambda: _province(settings, customers, days, seed))
    return people


def _store() -> str:
    from crm_api.commands import init

    assert init.callback is not None  # noqa: S101 - a command has one
    init.callback()
    return "ready"


def _people(settings: "Settings", names: list[str]) -> str:
    """Create the demo's users, whose passwords are public, unless somebody else's data are in the store."""
    from sqlalchemy import select

    from core.database import make_engine, session_scope
    from crm_api.identity.models import User
    from crm_api.identity.service import create_demo_users

    engine = make_engine(settings)
    try:
        with session_scope(engine) as session:
            is_demo = session.scalar(select(User.id).where(User.is_demo).limit(1)) is not None
            if not is_demo and _is_filled(session.connection()):
                return "the store holds data already: make the demo's users, if you want them, with crm users demo"
            made = create_demo_users(session)
            names += session.scalars(select(User.username).where(User.is_demo).order_by(User.id))
    finally:
        engine.dispose()
    return f"{made} users made" if made else "there already"


def _is_filled(connection: "Connection") -> bool:
    """Whether the store holds customers or contacts."""
    from sqlalchemy import select

    from crm_api.contacts.models import Contact
    from crm_api.customers.models import Customer

    return any(connection.scalar(select(column).limit(1)) is not None for column in (Customer.id, Contact.id))


def _province(settings: "Settings", customers: int, days: int, seed: int) -> str:
    """Simulate unless the store holds customers or contacts; a simulation is in the store wholly or not at all."""
    from datetime import timedelta

    from core.database import make_engine
    from core.time import to_local, utc_now

    engine = make_engine(settings)
    with engine.connect() as connection:
        is_filled = _is_filled(connection)
    engine.dispose()
    if is_filled:
        return "the store holds data already; they are kept"
    from simulator.province import Wish
    from simulator.run import simulate

    until = to_local(utc_now()).date() - timedelta(days=1)
    result = simulate(Wish(customers=customers, days=days, seed=seed, until=until), settings=settings)
    return f"{customers:,} customers, {days} days, {sum(result['rows'].values()):,} rows"


def _marts(settings: "Settings") -> str:
    """Run the pipeline unless what is published holds all that the store holds."""
    if _is_published(settings):
        from ingestion.load import ingest

        if ingest(settings).load_id is None:
            return "published already, nothing new"
    from cli.pipeline import run_pipeline, tell_step
    from warehouse.progress import build_progress

    result = run_pipeline(settings, tell_step, build_progress)
    return f"run {result.run_id} published, {result.marts_rows:,} rows"


def _is_published(settings: "Settings") -> bool:
    """Whether the current publication is there and was made of the lake's newest load."""
    from core.errors import NotPublishedError
    from core.lake import newest_load
    from warehouse.publication import current

    newest = newest_load(settings.lake)
    try:
        publication = current(settings)
    except NotPublishedError:
        return False
    loaded_at = publication.loaded_at.isoformat() if publication.loaded_at else None
    return newest is not None and newest.snapshot_at == loaded_at and publication.file.exists()


def _free_port(wanted: int) -> int:
    from dashboards.server import free_port

    chosen = free_port("127.0.0.1", wanted)
    if chosen != wanted:
        click.echo(f"Port {wanted} is taken; using {chosen}.", err=True)
    return chosen


@dataclass(frozen=True)
class _Desk:
    """`crm api` in a process of its own: the API and the agents' capture frontend."""

    process: "subprocess.Popen[bytes]"
    port: int

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def is_ready(self) -> bool:
        """Wait until it answers; False if it ended or takes too long."""
        end = monotonic() + STARTING
        while monotonic() < end and self.process.poll() is None:
            try:
                with urlopen(f"{self.address}/readyz", timeout=2):  # noqa: S310 - our own http address
                    return True
            except OSError:
                sleep(0.1)
        return False


@contextmanager
def _telephone(settings: "Settings", wanted: bool) -> Iterator[str]:
    """Asterisk and what belongs to it, if wanted; what to tell about it."""
    if not wanted:
        yield ""
        return
    from cli.demo_telephony import calls

    with calls(settings) as told:
        yield told


@contextmanager
def _desk(settings: "Settings", wanted: int, pages: int) -> Iterator[_Desk]:
    """Serve the desk on this CRM_HOME's store, which signs in for the pages too; it ends with the block in any case."""
    port = _free_port(wanted)
    command = [sys.executable, "-m", "cli.main", "api", "--port", str(port)]
    environment = os.environ | {
        "CRM_HOME": str(settings.home.resolve()),
        "CRM_PAGES_URL": f"http://127.0.0.1:{pages}",
    }
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)  # noqa: S603 - our own command
    try:
        yield _Desk(process, port)
    finally:
        process.terminate()
        try:
            process.wait(ENDING)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _serve(port: int, desk: _Desk, people: list[str], began: float, told: str) -> None:
    from dashboards.server import serve

    def tell(address: str) -> None:
        is_ready = desk.is_ready()
        click.echo(f"Ready after {perf_counter() - began:.0f} s. Ctrl-C ends everything.")
        click.echo(f"Dashboards: {address}")
        if is_ready:
            click.echo(f"Capture frontend: {desk.address}/app")
            _tell_logins(people)
            if told:
                click.echo(told)
            click.echo("The dashboards ask for the same sign-in (analyst, manager, baoji_manager, …).")
        else:
            click.echo("The capture frontend did not start; see why with: crm api", err=True)

    os.environ["CRM_DASHBOARD_CRM_URL"] = desk.address
    serve("127.0.0.1", port, on_ready=tell)


def _tell_logins(people: list[str]) -> None:
    from crm_api.identity.service import demo_password

    if people:
        click.echo(f"  sign in as {people[0]} / {demo_password(people[0])}")
        click.echo(f"  or, each with the password {demo_password('NAME')}: {', '.join(people[1:])}")

"""`crm demo`: a small province from nothing to its pages, in one process; a second start goes on from what is there."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from types import FrameType
from typing import TYPE_CHECKING

import click

from dashboards.commands import DEFAULT_PORT

if TYPE_CHECKING:
    from core.settings import Settings

CUSTOMERS, DAYS, SEED = 20_000, 90, 1
#: What a shell reports for a process that Ctrl-C or a SIGTERM ended.
INTERRUPTED, TERMINATED = 130, 143


@click.command()
@click.option("--port", default=DEFAULT_PORT, show_default=True, type=click.IntRange(1, 65535), help="Of the pages.")
@click.option("--home", type=click.Path(file_okay=False, path_type=Path), help="CRM_HOME of the demo. [default: var]")
@click.option("--customers", default=CUSTOMERS, show_default=True, type=click.IntRange(min=1))
@click.option("--days", default=DAYS, show_default=True, type=click.IntRange(min=1))
@click.option("--seed", default=SEED, show_default=True, type=click.IntRange(min=0))
@click.option("--no-serve", is_flag=True, help="Prepare everything, then end.")
def demo(port: int, home: Path | None, customers: int, days: int, seed: int, no_serve: bool) -> None:
    """Set up a store, simulate a province, run the pipeline, serve the pages until Ctrl-C.

    What an earlier run did is not done again; what it left unfinished is finished.
    """
    began = perf_counter()
    if home is not None:
        os.environ["CRM_HOME"] = str(home.resolve())
    from core.settings import get_settings

    get_settings.cache_clear()
    with _ended_by_sigterm():
        try:
            _prepare(get_settings(), customers, days, seed)
        except KeyboardInterrupt:
            click.echo("\nStopped. The next start goes on from what is there.", err=True)
            sys.exit(INTERRUPTED)
    if no_serve:
        click.echo(f"Prepared in {perf_counter() - began:.0f} s.")
        return
    _serve(port, began)


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


def _prepare(settings: "Settings", customers: int, days: int, seed: int) -> None:
    click.echo(f"Demo in {settings.home}", err=True)
    _step("store", _store)
    _step("province", lambda: _province(settings, customers, days, seed))
    _step("marts", lambda: _marts(settings))


def _store() -> str:
    from crm_api.commands import init

    assert init.callback is not None  # noqa: S101 - a command has one
    init.callback()
    return "ready"


def _province(settings: "Settings", customers: int, days: int, seed: int) -> str:
    """Simulate unless the store holds customers or contacts; a simulation is in the store wholly or not at all."""
    from datetime import timedelta

    from sqlalchemy import select

    from core.database import make_engine
    from core.time import to_local, utc_now
    from crm_api.contacts.models import Contact
    from crm_api.customers.models import Customer

    engine = make_engine(settings)
    with engine.connect() as connection:
        is_filled = any(connection.scalar(select(column).limit(1)) is not None for column in (Customer.id, Contact.id))
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


def _serve(port: int, began: float) -> None:
    from dashboards.server import free_port, serve

    chosen = free_port("127.0.0.1", port)
    if chosen != port:
        click.echo(f"Port {port} is taken; using {chosen}.", err=True)

    def tell(address: str) -> None:
        click.echo(f"Ready after {perf_counter() - began:.0f} s. Dashboards: {address} (Ctrl-C ends them)")

    serve("127.0.0.1", chosen, on_ready=tell)

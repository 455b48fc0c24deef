"""Commands of what runs beside Asterisk: the IVR, the dialler, faxes and recordings."""

import json
import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from sqlalchemy import Engine


def _stopping() -> threading.Event:
    """Set by Ctrl-C or SIGTERM."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


def _log() -> None:
    import logging

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=4573, show_default=True)
@click.option("--menu", type=click.Path(path_type=Path), help="Menus as YAML. [default: the ones that come along]")
@click.option("--check", is_flag=True, help="Only read the menu and tell what is wrong.")
def ivr(host: str, port: int, menu: Path | None, check: bool) -> None:
    """Answer callers: language, menu, fee query, outages, priority, callbacks, survey. Until stopped.

    Starts and goes on without the store; callers then go to the general queue.
    """
    from core.settings import get_settings
    from telephony.ivr.menu import MENU_FILE, load
    from telephony.ivr.server import make_server

    if check:
        loaded = load(menu or MENU_FILE)
        click.echo(f"{menu or MENU_FILE}: {len(loaded.nodes)} nodes, right.")
        return
    _log()
    stop = _stopping()
    running = make_server(get_settings(), (host, port), menu=menu or MENU_FILE)
    threading.Thread(target=running.server.serve_forever, name="ivr", daemon=True).start()
    click.echo(f"The IVR listens on {host}:{port}; Ctrl-C ends it.", err=True)
    # Not for ever at once: a signal that another thread gets is only seen when this one wakes.
    while not stop.wait(0.5):
        pass
    running.close()


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Asterisk's manager interface.")
@click.option("--port", default=5038, show_default=True)
@click.option("--user", default="crm", show_default=True)
@click.option(
    "--campaign",
    "campaigns",
    multiple=True,
    envvar="CRM_DIAL_CAMPAIGNS",
    help="ID:QUEUE of a call list to work, or ID:QUEUE:preview; may be repeated.",
)
@click.option("--queue", default="general", show_default=True, help="For callbacks whose queue is not known.")
@click.option("--stop", "reason", help="EMERGENCY STOP with this reason: nothing is dialled, what rings is hung up.")
@click.option("--resume", is_flag=True, help="Dial again after a stop.")
def dial(
    host: str, port: int, user: str, campaigns: tuple[str, ...], queue: str, reason: str | None, resume: bool
) -> None:
    """Make the calls that are due: callbacks and call lists, paced by free agents, each checked right before.

    The secret is read from CRM_MANAGER_SECRET. --stop and --resume act on every dialler of the store, at once.
    """
    from core.database import make_engine, session_scope
    from core.errors import ConfigurationError
    from crm_api.routing import outbound
    from crm_api.routing.ivr import telephony_actor
    from crm_api.store import require_ready, store_errors
    from telephony.dialler import CallList, Dialler
    from telephony.listener import Address

    engine = make_engine()
    require_ready(engine)
    if reason or resume:
        with store_errors(engine), session_scope(engine) as session:
            actor = telephony_actor(session)
            if reason:
                outbound.stop(session, actor=actor, reason=reason)
            else:
                outbound.resume(session, actor=actor)
        click.echo("Stopped: nothing is dialled." if reason else "Dialling again.")
        return
    lists = []
    for one in campaigns:
        key, code, mode = (*one.split(":"), "progressive", "", "")[:3]
        if not key.isdigit() or not code or mode not in ("progressive", "preview"):
            raise ConfigurationError(f"--campaign is {one!r}.", "Write ID:QUEUE or ID:QUEUE:preview, e.g. 3:general.")
        lists.append(CallList(int(key), code, mode))
    secret = os.environ.get("CRM_MANAGER_SECRET")
    if not secret:
        raise ConfigurationError("CRM_MANAGER_SECRET is not set.", "Set it to the manager user's secret.")
    _log()
    stop = _stopping()
    dialler = Dialler(Address(host, port, user, secret), engine, lists=tuple(lists), default_queue=queue)
    beside = threading.Thread(target=dialler.run, name="dialler", daemon=True)
    beside.start()
    while not stop.wait(0.5) and beside.is_alive():
        pass
    dialler.stop()
    beside.join(10)


def _collect(
    collect: "Callable[[Engine, Path], dict[str, int]]",
    spool: Path,
    *,
    watch: bool,
    as_json: bool,
    pause: float,
    worth_telling: tuple[str, ...] = (),
) -> None:
    """Take in what lies in Asterisk's folder once, or every `pause` seconds until stopped, telling what was done.

    While watching only rounds that did something are told: any number, or one of `worth_telling`.
    """
    from core.database import make_engine
    from crm_api.store import require_ready, store_errors

    engine = make_engine()
    require_ready(engine)
    stop = _stopping() if watch else None
    while True:
        with store_errors(engine):
            done = collect(engine, spool)
        if not watch or any(done[name] for name in worth_telling or done):
            click.echo(json.dumps(done) if as_json else ", ".join(f"{name} {number}" for name, number in done.items()))
        if stop is None or stop.wait(pause):
            return


@click.command()
@click.option(
    "--spool", type=click.Path(path_type=Path, file_okay=False), required=True, help="Asterisk's folder spool/fax."
)
@click.option("--watch", is_flag=True, help="Go on until stopped.")
@click.option("--json", "as_json", is_flag=True, help="The numbers as JSON.")
def fax(spool: Path, watch: bool, as_json: bool) -> None:
    """Turn faxes that Asterisk received into contacts with the pages attached as PDF."""
    from telephony.fax import collect

    _collect(collect, spool, watch=watch, as_json=as_json, pause=2)


@click.command()
@click.option(
    "--spool", type=click.Path(path_type=Path, file_okay=False), required=True, help="Asterisk's folder spool/monitor."
)
@click.option("--watch", is_flag=True, help="Go on until stopped.")
@click.option("--json", "as_json", is_flag=True, help="The numbers as JSON.")
def recordings(spool: Path, watch: bool, as_json: bool) -> None:
    """Link what Asterisk recorded to its contacts (encrypted with CRM_RECORDING_KEY), purge what is past its days."""
    from telephony.recordings import collect

    _collect(collect, spool, watch=watch, as_json=as_json, pause=5, worth_telling=("linked", "purged"))

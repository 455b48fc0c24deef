"""Commands of the telephone side."""

import json
import os
from dataclasses import asdict, replace
from ipaddress import IPv4Network
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from core.errors import ConfigurationError

if TYPE_CHECKING:
    from sqlalchemy import Engine

from telephony.service_commands import dial, fax, ivr, recordings

#: The private Asterisk of development, demo and tests lies here (not below CRM_HOME: it is an installation).
ASTERISK_ROOT = Path(".asterisk") / "root"


def _manager_secret() -> str:
    secret = os.environ.get("CRM_MANAGER_SECRET")
    if not secret:
        raise ConfigurationError("CRM_MANAGER_SECRET is not set.", "Set it to the manager user's secret.")
    return secret


def _network(text: str) -> IPv4Network:
    try:
        return IPv4Network(text)
    except ValueError as error:
        raise ConfigurationError(f"--manager-from is {text!r}: {error}.", "Write a network: 172.16.0.0/12.") from None


def _ready_or_away(engine: "Engine") -> None:
    """A store that does not answer now is waited for while events go to the journal; one that is wrong is told."""
    from sqlalchemy.exc import OperationalError

    from core.errors import StoreUnavailableError
    from crm_api.store import require_ready

    try:
        require_ready(engine)
    except StoreUnavailableError as error:
        if not isinstance(error.__cause__, OperationalError):
            raise
        click.echo(f"crm: {error}\n  Listening all the same: events are journalled.", err=True)


@click.group()
def telephony() -> None:
    """Asterisk: install a private one, configure it, read its logs."""


for _command in (ivr, dial, fax, recordings):
    telephony.add_command(_command)


@telephony.command()
@click.option("--root", type=click.Path(path_type=Path), default=ASTERISK_ROOT, show_default=True)
def install(root: Path) -> None:
    """Install a private Asterisk 22 from Debian's packages into a folder (needs root and debootstrap)."""
    from telephony.asterisk import private

    if private.is_installed(root):
        click.echo(f"Asterisk is in {root} already.")
        return
    click.echo(f"Installing Asterisk into {root} (about a minute, 500 MB) …", err=True)
    private.install(root)
    click.echo(f"Asterisk is in {root}.")


@telephony.group("import")
def import_() -> None:
    """Load years of another centre's log files through the call model."""


@import_.command("queue_log")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--source", required=True, help="Name of the centre; put before its call ids, queues and agents.")
@click.option("--json", "as_json", is_flag=True, help="The summary as JSON.")
def import_queue_log(files: tuple[Path, ...], source: str, as_json: bool) -> None:
    """Load Asterisk's queue_log FILES (rotated ones and .gz too); loading them twice changes nothing."""
    from telephony.files import read_queue_log

    _import_log(read_queue_log(files), files, source, "queue_log", as_json)


@import_.command("cel")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--source", required=True, help="Name of the centre; put before its call ids, queues and agents.")
@click.option("--json", "as_json", is_flag=True, help="The summary as JSON.")
def import_cel(files: tuple[Path, ...], source: str, as_json: bool) -> None:
    """Load CEL FILES (CSV in the layout of cel_custom's sample, .gz too); loading them twice changes nothing."""
    from telephony.files import read_cel

    _import_log(read_cel(files), files, source, "cel", as_json)


@import_.command("cdr")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--source", required=True, help="Name of the centre; put before its call ids, queues and agents.")
@click.option("--local-time", is_flag=True, help="Times are Asia/Shanghai. [default: UTC, usegmtime=yes]")
@click.option("--json", "as_json", is_flag=True, help="The summary as JSON.")
def import_cdr(files: tuple[Path, ...], source: str, local_time: bool, as_json: bool) -> None:
    """Load CDR FILES (Master.csv with unique ids, .gz too): the calls of queues; twice changes nothing."""
    from datetime import UTC

    from core.time import LOCAL
    from telephony.files import read_cdr

    _import_log(read_cdr(files, zone=LOCAL if local_time else UTC), files, source, "cdr", as_json)


def _import_log(read: Any, files: tuple[Path, ...], source: str, kind: str, as_json: bool) -> None:
    """Load what was read and tell what came of it."""
    from core.database import make_engine
    from core.settings import get_settings
    from crm_api.store import require_ready, store_errors
    from telephony import files as log_files

    settings = get_settings()
    engine = make_engine(settings)
    require_ready(engine)
    with store_errors(engine):
        summary = log_files.import_events(
            engine,
            read,
            files,
            source=source,
            rejected=settings.rejected,
            kind=kind,
            progress=lambda what, number: click.echo(f"{number:,} {what} …", err=True),
        )
    if as_json:
        click.echo(json.dumps(asdict(summary), ensure_ascii=False))
        return
    click.echo(
        f"{summary.events:,} events of {summary.files} file(s): {summary.calls.added:,} calls added, "
        f"{summary.calls.changed:,} corrected, {summary.calls.same:,} there already; {summary.visits:,} visits; "
        f"{summary.agent_states:,} agent states written."
    )
    if summary.rejected_file:
        click.echo(f"{summary.lines_kept_aside:,} lines could not be read; they are in {summary.rejected_file}.")


@telephony.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Asterisk's manager interface.")
@click.option("--port", default=5038, show_default=True)
@click.option("--user", default="crm", show_default=True)
def listen(host: str, port: int, user: str) -> None:
    """Listen to Asterisk until stopped: events to the journal, calls and agents' states to the store, rings to screens.

    What the pages order (agents' states, click to dial, a supervisor's listening) is carried out.

    The secret is read from CRM_MANAGER_SECRET. Starting it again after a crash continues from the journal.
    """
    import logging
    import signal
    import threading

    from core.database import make_engine
    from core.settings import get_settings
    from telephony.listener import Address, Listener
    from telephony.screen_pop import ScreenPops
    from telephony.supervisor import Orders

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    settings = get_settings()
    engine = make_engine(settings)
    _ready_or_away(engine)
    address = Address(host, port, user, _manager_secret())
    listener = Listener(address, engine, settings.home / "telephony" / "journal", on_event=ScreenPops(engine))
    orders = Orders(address, engine, listener.connected.is_set)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: listener.stop())
    threading.Thread(target=orders.run, name="orders", daemon=True).start()
    try:
        listener.run()
    finally:
        orders.stop()


@telephony.command()
@click.argument("username")
@click.option("--agent", "agent_code", help="Code of the agent's record. [default: the one they have, else a new one]")
@click.option("--kind", type=click.Choice(["webrtc", "sip"]), default="webrtc", show_default=True)
@click.option("--queue", "queues", multiple=True, help="A queue to serve; may be repeated. [default: every one]")
@click.option("--show-secret", is_flag=True, help="Print the secret, to set up a phone on the desk.")
def phone(username: str, agent_code: str | None, kind: str, queues: tuple[str, ...], show_secret: bool) -> None:
    """Give USERNAME a phone: in the browser (webrtc) or on the desk (sip). Then configure and reload Asterisk."""
    from core.database import make_engine, session_scope
    from crm_api.routing.phones import assign
    from crm_api.store import require_ready, store_errors

    engine = make_engine()
    require_ready(engine)
    with store_errors(engine), session_scope(engine) as session:
        own = assign(session, username=username, agent_code=agent_code, kind=kind, queues=queues)
        click.echo(f"{username}: agent {own.agent.code}, {own.endpoint.kind}, queues {', '.join(own.queues)}")
        if show_secret:
            click.echo(f"secret: {own.endpoint.secret}")


@telephony.command()
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder of Asterisk's configuration.")
@click.option("--etc", help="The same folder as Asterisk sees it.  [default: the same path]")
@click.option(
    "--state", default="/var/lib/crm-asterisk", show_default=True, help="Asterisk's folder for what it keeps."
)
@click.option("--modules", default="/usr/lib/x86_64-linux-gnu/asterisk/modules", show_default=True)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address that Asterisk listens on.")
@click.option("--trunk", default="127.0.0.1", show_default=True, help="Address of the carrier's gateway.")
@click.option("--user", default="crm", show_default=True, help="The manager user.")
@click.option("--manager-host", default="", help="Address of the manager interface, if not that of --host.")
@click.option(
    "--manager-from", default="", help="Network that may use it, e.g. 172.16.0.0/12.  [default: its own address]"
)
@click.option("--ivr/--no-ivr", "ivr_enabled", default=True, show_default=True, help="Callers meet the IVR first.")
@click.option("--sounds", type=click.Path(path_type=Path), help="Folder STATE/sounds as seen here: prompts go there.")
@click.option("--fax", "fax_number", default="", help="Number whose calls are faxes.")
def configure(
    out: Path,
    etc: str | None,
    state: str,
    modules: str,
    host: str,
    trunk: str,
    user: str,
    manager_host: str,
    manager_from: str,
    ivr_enabled: bool,
    sounds: Path | None,
    fax_number: str,
) -> None:
    """Render Asterisk's configuration from the CRM's queues, agents and seats; prints the files that changed.

    The manager's secret is read from CRM_MANAGER_SECRET. `asterisk -rx "core reload"` then applies the files
    without dropping calls.
    """
    from core.database import make_engine, session_scope
    from core.settings import get_settings
    from crm_api.routing.service import ensure
    from crm_api.store import require_ready, store_errors
    from telephony.asterisk.from_store import plan_from_store
    from telephony.asterisk.plan import PbxPlan, Ports
    from telephony.asterisk.render import render, write
    from telephony.ivr.prompts import provide

    base = PbxPlan(
        user,
        _manager_secret(),
        ports=Ports(host=host, manager_host=manager_host),
        trunk_host=trunk,
        ivr_enabled=ivr_enabled,
        fax_number=fax_number,
    )
    if manager_from:
        network = _network(manager_from)
        base = replace(base, manager_from=str(network.network_address), manager_mask=str(network.netmask))
    settings = get_settings()
    engine = make_engine(settings)
    require_ready(engine)
    with store_errors(engine), session_scope(engine) as session:
        ensure(session)
        plan = plan_from_store(session, base)
    if sounds:
        own = settings.home / "telephony"
        spoken = provide(sounds, recorded=own / "prompts", cache=own / "spoken")
        click.echo(f"{spoken} prompts written to {sounds}", err=True)
    changed = write(render(plan, etc=etc or str(out), state=state, modules=modules), out)
    click.echo(f"{len(plan.queues)} queues, {len(plan.agents)} agents; changed: {', '.join(changed) or 'nothing'}")


@telephony.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--cel", multiple=True, type=click.Path(path_type=Path), help="CEL files, for calls queue_log lacks.")
@click.option("--json", "as_json", is_flag=True, help="The residual of each day as JSON.")
def reconcile(files: tuple[Path, ...], cel: tuple[Path, ...], as_json: bool) -> None:
    """Correct what was seen live by our own PBX's queue_log FILES; prints how far it was off, per day."""
    from core.database import make_engine
    from core.settings import get_settings
    from crm_api.store import require_ready, store_errors
    from telephony.reconcile import reconcile as run

    settings = get_settings()
    engine = make_engine(settings)
    require_ready(engine)
    with store_errors(engine):
        residuals, summary = run(engine, files, rejected=settings.rejected, cel=cel)
    rows = [{"day": str(day)} | asdict(residual) for day, residual in sorted(residuals.items())]
    if as_json:
        click.echo(json.dumps({"days": rows, "import": asdict(summary)}, ensure_ascii=False))
        return
    for row in rows:
        click.echo(", ".join(f"{name.replace('_', ' ')} {value}" for name, value in row.items()))
    click.echo(f"{summary.calls.added} calls added, {summary.calls.changed} corrected, {summary.calls.same} right.")

"""Commands of the telephone side."""

import json
from dataclasses import asdict
from pathlib import Path

import click

#: The private Asterisk of development, demo and tests lies here (not below CRM_HOME: it is an installation).
ASTERISK_ROOT = Path(".asterisk") / "root"


@click.group()
def telephony() -> None:
    """Asterisk: install a private one, configure it, read its logs."""


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
    from core.database import make_engine
    from core.settings import get_settings
    from crm_api.store import require_ready, store_errors
    from telephony import files as log_files

    settings = get_settings()
    engine = make_engine(settings)
    require_ready(engine)
    with store_errors(engine):
        summary = log_files.import_queue_log(
            engine,
            files,
            source=source,
            rejected=settings.rejected,
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
    """Listen to Asterisk until stopped: events to the journal, calls and agents' states to the store.

    The secret is read from CRM_MANAGER_SECRET. Starting it again after a crash continues from the journal.
    """
    import logging
    import os
    import signal

    from core.database import make_engine
    from core.errors import ConfigurationError
    from core.settings import get_settings
    from crm_api.store import require_ready
    from telephony.listener import Address, Listener

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    secret = os.environ.get("CRM_MANAGER_SECRET")
    if not secret:
        raise ConfigurationError("CRM_MANAGER_SECRET is not set.", "Set it to the manager user's secret.")
    settings = get_settings()
    engine = make_engine(settings)
    require_ready(engine)
    listener = Listener(Address(host, port, user, secret), engine, settings.home / "telephony" / "journal")
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: listener.stop())
    listener.run()

"""Commands of what runs beside Asterisk: the IVR, the dialler, faxes and recordings."""

import signal
import threading
from pathlib import Path

import click


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

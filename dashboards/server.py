"""Serving the pages in this process, until a signal ends it."""

import os
import socket
import tomllib
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from time import sleep
from typing import Any
from urllib.request import urlopen

from core.errors import BadInputError

FOLDER = Path(__file__).parent
TRIES = 50


def free_port(host: str, wanted: int) -> int:
    """`wanted`, or the next port of `host` that nobody listens on.

    Raises:
        BadInputError: the host is not ours, or all ports looked at are taken.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for port in range(wanted, min(wanted + TRIES, 65536)):
        with socket.socket(family) as probe:
            # As the server will: a port in TIME_WAIT is free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError as error:
                if isinstance(error, socket.gaierror) or error.errno in _NOT_OURS:
                    raise BadInputError(f"--host {host} is no address of this machine.", "Try 127.0.0.1.") from error
                if isinstance(error, PermissionError):
                    raise BadInputError(f"--port {port} needs more rights.", "Take one above 1023.") from error
                continue
            return port
    raise BadInputError(f"Ports {wanted} to {wanted + TRIES - 1} are all taken.", "Name a free one with --port.")


#: EADDRNOTAVAIL on Linux and on macOS.
_NOT_OURS = (99, 49)


def options(host: str, port: int) -> dict[str, Any]:
    """Streamlit's options: those of streamlit.toml, and where to listen."""
    content = tomllib.loads((FOLDER / "streamlit.toml").read_text(encoding="utf-8"))
    flat = {f"{section}_{name}": value for section, values in content.items() for name, value in values.items()}
    flat["server_baseUrlPath"] = _base_path()
    return flat | {"server_address": host, "server_port": port, "browser_serverAddress": host}


def _base_path() -> str:
    """Below which path the pages lie, behind a proxy that serves other pages too; mostly none."""
    return os.environ.get("CRM_DASHBOARD_BASE_PATH", "").strip("/")


def address_of(host: str, port: int) -> str:
    """What to type into a browser."""
    shown = "127.0.0.1" if host in ("0.0.0.0", "::") else host  # noqa: S104 - shown, not bound
    return f"http://[{shown}]:{port}" if ":" in shown else f"http://{shown}:{port}"


def serve(host: str, port: int, *, on_ready: Callable[[str], None]) -> None:
    """Serve until SIGINT or SIGTERM; `on_ready` gets the address once requests are answered."""
    from streamlit.web import bootstrap

    address, chosen = address_of(host, port), options(host, port)
    bootstrap.load_config_options(flag_options=chosen)
    Thread(target=_announce, args=(address, on_ready), daemon=True).start()
    bootstrap.run(str(FOLDER / "app.py"), False, [], chosen)


def _announce(address: str, on_ready: Callable[[str], None]) -> None:
    path = f"/{_base_path()}".rstrip("/")
    for _ in range(600):
        try:
            with urlopen(f"{address}{path}/_stcore/health", timeout=2):  # noqa: S310 - our own http address
                on_ready(address)
                return
        except OSError:
            sleep(0.1)

"""Real servers for tests: a private PostgreSQL cluster in a temporary folder (in memory), on a socket and a port."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text

_DEBIAN = Path("/usr/lib/postgresql")
#: Less free memory than this: databases lie on the disk. A test's own takes 15 MB and is dropped after it.
_MEMORY_BYTES = 4 << 30


#: Below those that the system gives to outgoing connections, so that none takes a port between its choice and its use;
#: with room behind each, which phones take for their media.
_PORTS = range(12_000, 20_000, 8)
#: Workers begin far from each other, and no port is given twice soon.
_candidates = cycle(
    sorted(_PORTS, key=lambda port: (port - os.getpid() * 397 * _PORTS.step) % (_PORTS.stop - _PORTS.start))
)


def free_port() -> int:
    """A port of loopback that nobody has, for TCP or for UDP."""
    for port in _candidates:
        try:
            for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                with socket.socket(type=kind) as probe:
                    probe.bind(("127.0.0.1", port))
        except OSError:
            continue
        return port
    raise AssertionError("unreachable: the candidates go round")


def free_media_ports() -> tuple[int, int]:
    """The first and the last of a thousand ports that `free_port` does not give; a PBX looks which of them are free."""
    first = 20_000 + 1000 * (free_port() // _PORTS.step % 12)
    return first, first + 998


def missing(what: str, mend: str) -> None:
    """A failure in CI, a loud skip on a laptop."""
    if os.environ.get("CI"):
        pytest.fail(f"{what} is missing in CI: {mend}")
    pytest.skip(f"{what} is missing: {mend}")


def _programs() -> Path:
    found = shutil.which("initdb")
    if found:
        return Path(found).parent
    versions = sorted(_DEBIAN.glob("*/bin/initdb")) if _DEBIAN.exists() else []
    if not versions:
        missing("PostgreSQL", "install the package postgresql-15")
    return versions[-1].parent


def _roomy_memory() -> Path | None:
    """The folder that lies in memory, where databases are made and thrown away faster; None if it is small."""
    memory = Path("/dev/shm")
    return memory if memory.is_dir() and shutil.disk_usage(memory).free > _MEMORY_BYTES else None


@contextmanager
def postgresql_cluster() -> Iterator[str]:
    """A running cluster without durability; yields the URL of its `postgres` database (loopback, trusted)."""
    programs = _programs()
    folder = Path(tempfile.mkdtemp(prefix="crm-pg-", dir=_roomy_memory()))
    # The server refuses to run as root: it then runs as nobody.
    as_user = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"] if os.geteuid() == 0 else []
    if as_user:
        shutil.chown(folder, "nobody", "nogroup")
    data, port = folder / "data", free_port()

    def run(program: str, *arguments: str) -> None:
        command = [*as_user, str(programs / program), *arguments]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
        if done.returncode:
            raise RuntimeError(f"{program} failed: {done.stdout}{done.stderr}")

    try:
        run("initdb", "-D", str(data), "-U", "crm", "--auth=trust", "-E", "UTF8", "--no-sync", "--locale=C.UTF-8")
        options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off -c full_page_writes=off"
        options += " -c max_connections=60"
        run("pg_ctl", "-D", str(data), "-w", "-l", str(folder / "log"), "-o", options, "start")
        try:
            yield f"postgresql://crm@127.0.0.1:{port}/postgres"
        finally:
            run("pg_ctl", "-D", str(data), "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _as_admin(url: str, statement: str) -> None:
    server = make_url(url).set(drivername="postgresql+psycopg", database="postgres")
    admin = create_engine(server, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(statement))
    admin.dispose()


def copy_database(url: str, template: str, name: str) -> str:
    """URL of a new database of the cluster, made from `template`."""
    # Its files are copied: a log of every page, which is usual, takes twice as long.
    _as_admin(url, f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
    return make_url(url).set(database=name).render_as_string(hide_password=False)


def drop_database(url: str) -> None:
    """Throw away a database that `copy_database` made."""
    _as_admin(url, f"DROP DATABASE IF EXISTS {make_url(url).database} WITH (FORCE)")

"""Real servers for tests: a private PostgreSQL cluster in a temporary folder (in memory), on a socket and a port."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_DEBIAN = Path("/usr/lib/postgresql")
#: Less free memory than this: databases lie on the disk. A test's own takes 15 MB and is dropped after it.
_MEMORY_BYTES = 4 << 30


def free_port() -> int:
    """A TCP port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


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
        options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off -c max_connections=60"
        run("pg_ctl", "-D", str(data), "-w", "-l", str(folder / "log"), "-o", options, "start")
        try:
            yield f"postgresql://crm@127.0.0.1:{port}/postgres"
        finally:
            run("pg_ctl", "-D", str(data), "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)

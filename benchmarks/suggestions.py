"""Complaint types suggested while typing, by a model trained on a simulated province, through the API."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from statistics import quantiles

import httpx
from sqlalchemy import Engine, select

from core.database import make_engine, session_scope
from crm_api import models  # noqa: F401 - all tables, for their foreign keys
from crm_api.identity.models import User
from crm_api.identity.permissions import Permission
from crm_api.identity.service import create_demo_users
from crm_api.identity.sessions import create_token
from crm_api.tickets.models import Ticket

_CUSTOMERS = {"small": 4_000, "province": 20_000}
_DAYS = 120
_REQUESTS = 400
_PATIENCE = 300


def _prepare(home: Path, size: str) -> None:
    """A store, its marts and the model: the commands that an operator gives."""
    environment = os.environ | {"CRM_HOME": str(home)}
    simulate = ["simulate", "--customers", str(_CUSTOMERS[size]), "--days", str(_DAYS), "--seed", "1"]
    for command in (["init"], simulate, ["pipeline"], ["train", "complaints"]):
        subprocess.run([sys.executable, "-m", "cli.main", *command], env=environment, check=True, capture_output=True)


def _caller(engine: Engine) -> tuple[str, list[str]]:
    """A token, and texts that customers gave."""
    with session_scope(engine) as session:
        create_demo_users(session)
        agent = session.scalars(select(User).where(User.username == "agent")).one()
        token, _ = create_token(session, agent, name="bench", scopes=frozenset(Permission), expires_at=None)
        told = select(Ticket.description).where(
            Ticket.service_type_code == "complaint", Ticket.description.is_not(None)
        )
        return token, [text for text in session.scalars(told.limit(_REQUESTS)) if text]


@contextmanager
def _served(home: Path) -> Iterator[str]:
    from tests.servers import free_port

    port = free_port()
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "cli.main", "api", "--port", str(port)]
    server = subprocess.Popen(
        command, env=os.environ | {"CRM_HOME": str(home)}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        until = time.monotonic() + _PATIENCE
        while time.monotonic() < until:
            with suppress(httpx.HTTPError):
                if httpx.get(f"{address}/readyz", timeout=5).status_code == 200:
                    break
            time.sleep(0.2)
        yield address
    finally:
        server.terminate()
        server.wait(timeout=30)


def measure(home: Path) -> list[dict[str, object]]:
    """Figures of a home that has a trained model."""
    engine = make_engine(url=f"sqlite:///{home / 'store' / 'crm.sqlite'}")
    token, texts = _caller(engine)
    engine.dispose()
    took, answered = [], 0
    with _served(home) as address, httpx.Client(headers={"Authorization": f"Bearer {token}"}) as client:
        path = f"{address}/api/v1/complaint-type-suggestions"
        until = time.monotonic() + _PATIENCE
        # The model is loaded beside the first requests.
        while not client.post(path, json={"text": texts[0]}).json() and time.monotonic() < until:
            time.sleep(0.5)
        for number in range(_REQUESTS):
            text = texts[number % len(texts)]
            began = time.perf_counter()
            answer = client.post(path, json={"text": text[: 4 + number % 60]})
            took.append((time.perf_counter() - began) * 1000)
            answered += bool(answer.raise_for_status().json())
            time.sleep(0.04)
    cuts = quantiles(took, n=100)
    note = f"{_REQUESTS} requests, {answered} with suggestions, the whole call over HTTP"
    return [
        {"name": "suggestion p50", "value": cuts[49], "unit": "ms", "aim": "", "note": note},
        {"name": "suggestion p95", "value": cuts[94], "unit": "ms", "aim": "< 50", "note": note},
    ]


def run(size: str) -> list[dict[str, object]]:
    """p50 and p95 of `POST /api/v1/complaint-type-suggestions` in milliseconds."""
    with tempfile.TemporaryDirectory(prefix="crm-bench-") as folder:
        _prepare(Path(folder), size)
        return measure(Path(folder))

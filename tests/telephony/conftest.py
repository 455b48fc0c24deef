"""A private Asterisk for the tests."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from telephony.asterisk.plan import PbxPlan, Ports
from telephony.asterisk.private import PrivateAsterisk, is_installed
from tests.servers import free_media_ports, free_port, missing

ROOT = Path(__file__).parents[2] / ".asterisk" / "root"

Start = Callable[[PbxPlan], PrivateAsterisk]


@contextmanager
def running(plan: PbxPlan) -> Iterator[PrivateAsterisk]:
    """A private Asterisk with a plan, on free ports of loopback; ended with the block."""
    if os.geteuid() != 0:
        missing("root (Asterisk runs in a Debian system of its own)", "run the tests as root")
    if not is_installed(ROOT):
        missing("The private Asterisk", "run: make asterisk")
    first, last = free_media_ports()
    ports = Ports(
        sip=free_port(), manager=free_port(), http=free_port(), rtp_first=first, rtp_last=last, agi=free_port()
    )
    one = PrivateAsterisk(ROOT.resolve(), f"test-{ports.manager}", replace(plan, ports=ports))
    try:
        one.start()
        yield one
    finally:
        one.stop()
        shutil.rmtree(one.state, ignore_errors=True)


@pytest.fixture
def asterisk() -> Iterator[Start]:
    """Starts private Asterisks; ended after the test."""
    with ExitStack() as started:
        yield lambda plan: started.enter_context(running(plan))

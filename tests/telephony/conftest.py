"""A private Asterisk for the tests."""

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from telephony.asterisk.plan import PbxPlan, Ports
from telephony.asterisk.private import PrivateAsterisk, is_installed
from tests.servers import free_port, missing

ROOT = Path(__file__).parents[2] / ".asterisk" / "root"

Start = Callable[[PbxPlan], PrivateAsterisk]


@pytest.fixture
def asterisk() -> Iterator[Start]:
    """Starts a private Asterisk with a plan (on free ports of loopback); ended after the test."""
    if os.geteuid() != 0:
        missing("root (Asterisk runs in a Debian system of its own)", "run the tests as root")
    if not is_installed(ROOT):
        missing("The private Asterisk", "run: make asterisk")
    running: list[PrivateAsterisk] = []

    def start(plan: PbxPlan) -> PrivateAsterisk:
        first = 20000 + 1000 * (free_port() % 20)
        ports = Ports(
            sip=free_port(),
            manager=free_port(),
            http=free_port(),
            rtp_first=first,
            rtp_last=first + 998,
            agi=free_port(),
        )
        one = PrivateAsterisk(ROOT.resolve(), f"test-{ports.manager}", replace(plan, ports=ports))
        running.append(one)
        one.start()
        return one

    yield start
    for one in running:
        one.stop()
        shutil.rmtree(one.state, ignore_errors=True)

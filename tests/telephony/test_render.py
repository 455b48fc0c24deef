"""What must never reach a configuration file."""

import pytest

from core.errors import ConfigurationError
from telephony.asterisk.plan import AgentPlan, PbxPlan, QueuePlan
from telephony.asterisk.render import render


def _files(plan: PbxPlan) -> dict[str, str]:
    return render(plan, etc="/etc/x", state="/srv/x", modules="/usr/lib/x")


@pytest.mark.parametrize(
    "plan",
    [
        PbxPlan("crm", "secret\n[admin]\nsecret=x"),
        PbxPlan("crm", "secret;comment"),
        PbxPlan("crm", "s", queues=(QueuePlan("general]\nmember=>Local/evil"),)),
        PbxPlan("crm", "s", agents=(AgentPlan("7001,2,System(rm)", "x"),)),
        PbxPlan("crm", "s", service_number="96766,1,System(x)"),
    ],
)
def test_a_value_that_breaks_out_of_its_line_is_refused(plan: PbxPlan) -> None:
    with pytest.raises(ConfigurationError, match="Asterisk's files"):
        _files(plan)


def test_an_unknown_strategy_names_the_known_ones() -> None:
    with pytest.raises(ConfigurationError, match="ring_all"):
        _files(PbxPlan("crm", "s", queues=(QueuePlan("general", strategy="loudest"),)))


def test_the_manager_user_has_no_right_to_the_system() -> None:
    manager = _files(PbxPlan("crm", "s"))["manager.conf"]
    rights = [line for line in manager.splitlines() if line.startswith(("read", "write ="))]
    granted = {right for line in rights for right in line.partition("=")[2].strip().split(",")}
    assert granted
    assert not granted & {"system", "command", "all", "config"}

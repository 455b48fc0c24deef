"""A caller who presses keys: a SIPp scenario made for one call, keys sent as SIP INFO."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

from telephony.asterisk.plan import PbxPlan
from tests.servers import free_port
from tests.telephony.phones import SCENARIOS, sipp

_INFO = """
  <pause milliseconds="{wait}"/>
  <send retrans="500"><![CDATA[
INFO [next_url] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:[field0]@[local_ip]:[local_port]>;tag=[pid]SIPp[call_number]
[last_To:]
Call-ID: [call_id]
CSeq: {number} INFO
Max-Forwards: 70
Content-Type: application/dtmf-relay
Content-Length: [len]

Signal={key}
Duration=160
]]></send>
  <recv response="200"/>
"""
_LET_GO = """
  <recv request="BYE" timeout="{wait}"/>
  <send><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:]
[last_Call-ID:]
[last_CSeq:]
Content-Length: 0

]]></send>
</scenario>
"""


def call_and_press(
    plan: PbxPlan,
    folder: Path,
    number: str,
    keys: Sequence[tuple[int, str]],
    *,
    then_ms: int = 3000,
    hang_up: bool = True,
    called: str = "",
    echoes: bool = False,
) -> "subprocess.Popen[str]":
    """Call the service number and press keys, (milliseconds to wait before it, key) each; then wait and hang up.

    With `echoes`, what the caller hears is sent back as what the caller says.
    With `hang_up=False` Asterisk is expected to end the call within `then_ms`. Wait for the process: it returns 0 if
    the call went as told.
    """
    whole = (SCENARIOS / "caller.xml").read_text()
    head, _, rest = whole.partition("  <!-- field1")
    pressed = "".join(_INFO.format(wait=wait, key=key, number=n) for n, (wait, key) in enumerate(keys, start=10))
    end = rest[rest.index("  <send") :].replace("CSeq: 2 BYE", "CSeq: 99 BYE")
    tail = f'  <pause milliseconds="{then_ms}"/>\n{end}' if hang_up else _LET_GO.format(wait=then_ms)
    name = f"keys-{free_port()}"
    (folder / f"{name}.xml").write_text(head + pressed + tail)
    (folder / f"{name}.csv").write_text(f"SEQUENTIAL\n{number};\n")
    return subprocess.Popen(
        [
            sipp(),
            f"{plan.ports.host}:{plan.ports.sip}",
            *("-sf", f"{name}.xml", "-inf", f"{name}.csv", "-s", called or plan.service_number),
            *("-p", str(free_port()), "-mp", str(free_port()), "-m", "1", "-i", "127.0.0.1", "-nostdin"),
            *(["-rtp_echo"] if echoes else []),
        ],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def pressed_through(process: "subprocess.Popen[str]", *, seconds: float = 60) -> None:
    """Wait for the caller of `call_and_press`; fails with SIPp's words if the call went otherwise."""
    _, said = process.communicate(timeout=seconds)
    assert process.returncode == 0, said[-2000:]

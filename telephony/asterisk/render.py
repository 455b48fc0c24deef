"""Configuration files of Asterisk 22 from a plan: pure text, refused when a value could break out of its line."""

import re
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from core.errors import ConfigurationError
from core.files import write_atomically
from telephony.asterisk.plan import STRATEGIES, PbxPlan

#: The events that matter of the about 79 that a queued call raises.
EVENTS = (
    "QueueCallerJoin",
    "QueueCallerLeave",
    "QueueCallerAbandon",
    "QueueMemberAdded",
    "QueueMemberRemoved",
    "QueueMemberPause",
    "QueueMemberStatus",
    "AgentCalled",
    "AgentConnect",
    "AgentComplete",
    "AgentDump",
    "AgentRingNoAnswer",
    "Hangup",
    "Hold",
    "Unhold",
    "BlindTransfer",
    "AttendedTransfer",
    "UserEvent",
)
#: What the dialler hears besides; not of the listener's concern.
DIALLER_EVENTS = ("OriginateResponse", "DialEnd")

UNUSED_MODULES = (
    "cdr_adaptive_odbc",
    "cdr_odbc",
    "cdr_pgsql",
    "cdr_radius",
    "cdr_sqlite3_custom",
    "cdr_tds",
    "cdr_manager",
    "cel_odbc",
    "cel_pgsql",
    "cel_radius",
    "cel_sqlite3_custom",
    "cel_tds",
    "cel_manager",
    "chan_iax2",
    "chan_ooh323",
    "chan_unistim",
    "chan_mobile",
    "chan_motif",
    "chan_dahdi",
    "chan_console",
    "pbx_ael",
    "pbx_lua",
    "pbx_dundi",
    "pbx_realtime",
    "func_odbc",
    "func_shell",
    "app_system",
    "app_minivm",
    "app_voicemail",
    "app_voicemail_imap",
    "app_voicemail_odbc",
    "res_odbc",
    "res_odbc_transaction",
    "res_config_odbc",
    "res_config_pgsql",
    "res_config_mysql",
    "res_config_ldap",
    "res_config_sqlite3",
    "res_config_curl",
    "res_snmp",
    "res_corosync",
    "res_hep",
    "res_hep_pjsip",
    "res_hep_rtcp",
    "res_phoneprov",
    "res_pjsip_phoneprov_provider",
    "res_xmpp",
    "res_ari",
    "res_stun_monitor",
    "res_resolver_unbound",
    "res_prometheus",
    "res_smdi",
    "res_calendar",
    "res_calendar_caldav",
    "res_calendar_ews",
    "res_calendar_exchange",
    "res_calendar_icalendar",
    "res_ari_applications",
    "res_ari_asterisk",
    "res_ari_bridges",
    "res_ari_channels",
    "res_ari_device_states",
    "res_ari_endpoints",
    "res_ari_events",
    "res_ari_playbacks",
    "res_ari_recordings",
    "res_ari_sounds",
    "app_stasis",
    "app_stasis_broadcast",
    "res_stasis_broadcast",
    "res_adsi",
    "app_adsiprog",
    "app_getcpeid",
    "res_pjsip_notify",
    "res_parking",
    "app_agent_pool",
    "app_confbridge",
    "app_page",
    "app_alarmreceiver",
    "app_festival",
    "app_amd",
    "app_followme",
    "res_clialiases",
    "cdr_custom",
)

_TEMPLATES = Path(__file__).parent / "templates"
_PLAIN = re.compile(r"^[\w .@+-]*$")


def _check(value: Any, place: str) -> None:
    """Every text of the plan is plain: no line break, semicolon, bracket or comma can reach a file."""
    if is_dataclass(value) and not isinstance(value, type):
        for one in fields(value):
            _check(getattr(value, one.name), f"{place}.{one.name}")
    elif isinstance(value, tuple):
        for number, one in enumerate(value):
            _check(one, f"{place}[{number}]")
    elif isinstance(value, str) and not _PLAIN.match(value):
        raise ConfigurationError(
            f"{place} is {value!r}: it has a mark that Asterisk's files give a meaning to.",
            "Use letters, digits, spaces and . @ + - _ only.",
        )


def render(plan: PbxPlan, *, etc: str, state: str, modules: str) -> dict[str, str]:
    """File name -> content.

    Args:
        etc: folder of the files, as Asterisk will see it.
        state: folder for its database, logs, recordings and sounds.
        modules: folder of its modules.

    Raises:
        ConfigurationError: a value could break out of its place, or a queue's strategy is unknown.
    """
    _check(plan, "plan")
    for queue in plan.queues:
        if queue.strategy not in STRATEGIES:
            raise ConfigurationError(
                f"Queue {queue.code} has the strategy {queue.strategy!r}.", f"It is one of {', '.join(STRATEGIES)}."
            )
    environment = Environment(  # noqa: S701 - configuration files, not HTML; every value was checked above
        loader=FileSystemLoader(_TEMPLATES), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    values = {
        "plan": plan,
        "etc": etc,
        "state": state,
        "modules": modules,
        "events": (*EVENTS, *DIALLER_EVENTS),
        "unused": UNUSED_MODULES,
        "strategies": STRATEGIES,
    }
    return {name: environment.get_template(name).render(values) for name in sorted(environment.list_templates())}


def write(files: dict[str, str], folder: Path) -> list[str]:
    """Write the files that differ; their names. Each is whole or as it was."""
    changed = []
    for name, content in files.items():
        path = folder / name
        if not path.exists() or path.read_text(encoding="utf-8") != content:
            write_atomically(path, content)
            changed.append(name)
    return changed

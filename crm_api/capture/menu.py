"""The shell's navigation: which pages a person may open, each with its key."""

from dataclasses import dataclass

from core.actor import BRANCH_ROLES, PROVINCIAL_ROLES, Role
from crm_api.identity.permissions import Permission
from crm_api.identity.sessions import Identity


@dataclass(frozen=True)
class Item:
    """One entry: `code` names its text, `key` opens it outside inputs."""

    code: str
    path: str
    key: str
    permission: Permission
    roles: frozenset[Role] | None = None


_ITEMS = (
    Item("home", "/app", "h", Permission.SELF),
    Item("capture", "/app/capture", "n", Permission.CONTACT_CREATE),
    Item("customers", "/app/customers", "c", Permission.CUSTOMER_READ),
    Item("tickets", "/app/tickets", "t", Permission.TICKET_READ),
    Item("dispatch", "/app/dispatch", "d", Permission.TICKET_WORK, PROVINCIAL_ROLES),
    Item("review", "/app/review", "r", Permission.TICKET_WORK, PROVINCIAL_ROLES),
    Item("follow_up", "/app/follow-up", "f", Permission.TICKET_WORK, PROVINCIAL_ROLES),
    Item("branch", "/app/branch", "b", Permission.TICKET_WORK, BRANCH_ROLES),
    Item("callbacks", "/app/callbacks", "k", Permission.CONTACT_CREATE),
    Item("calls", "/app/calls", "q", Permission.CALL_LIST_WORK),
    Item("campaigns", "/app/campaigns", "g", Permission.CALL_LIST_READ),
    Item("proposals", "/app/proposals", "y", Permission.KEY_LEVEL_DECIDE),
    Item("monitor", "/app/monitor", "m", Permission.MONITOR_READ),
    Item("supervisor", "/app/supervisor", "s", Permission.TELEPHONY_SUPERVISE),
    Item("process", "/app/process", "w", Permission.PROCESS_READ, frozenset({"supervisor", "administrator"})),
    Item("reports", "/app/reports", "o", Permission.REPORT_READ),
    Item("knowledge", "/app/knowledge", "a", Permission.KNOWLEDGE_READ),
    Item("service_levels", "/app/service-levels", "l", Permission.CALENDAR_MANAGE),
)


def menu_of(identity: Identity) -> list[Item]:
    """The entries that `identity` may open."""
    return [
        item
        for item in _ITEMS
        if identity.may(item.permission) and (item.roles is None or identity.actor.role in item.roles)
    ]

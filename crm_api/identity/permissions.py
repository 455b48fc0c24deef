"""What each role may do; every route declares exactly one permission."""

from enum import StrEnum

from core.actor import Role


class Permission(StrEnum):
    """A right that a route asks for, and the scope that an API token may carry."""

    SELF = "self"
    CUSTOMER_READ = "customer:read"
    CUSTOMER_REVEAL = "customer:reveal"
    CUSTOMER_WRITE = "customer:write"
    CUSTOMER_MERGE = "customer:merge"
    CONTACT_READ = "contact:read"
    CONTACT_CREATE = "contact:create"
    TICKET_READ = "ticket:read"
    TICKET_CREATE = "ticket:create"
    # Which step of the loop a role may take is decided by the process (data), not here.
    TICKET_WORK = "ticket:work"
    TICKET_BULK = "ticket:bulk"
    MONITOR_READ = "monitor:read"
    KNOWLEDGE_READ = "knowledge:read"
    KNOWLEDGE_WRITE = "knowledge:write"
    PROCESS_READ = "process:read"
    PROCESS_MANAGE = "process:manage"
    CALENDAR_MANAGE = "calendar:manage"
    REPORT_READ = "report:read"
    # Let a publication pass that a quality gate holds.
    PUBLICATION_RELEASE = "publication:release"
    KEY_LEVEL_DECIDE = "key-level:decide"
    # Say what complaints that fit no type are about: a new type enters the catalogue.
    TOPIC_NAME = "topic:name"
    CALL_LIST_READ = "call-list:read"
    CALL_LIST_WORK = "call-list:work"
    CAMPAIGN_MANAGE = "campaign:manage"
    EXPORT = "export"
    USER_MANAGE = "user:manage"
    AUDIT_READ = "audit:read"
    WEBHOOK_MANAGE = "webhook:manage"
    METRICS_READ = "metrics:read"
    PHONE_USE = "phone:use"
    TELEPHONY_READ = "telephony:read"
    TELEPHONY_SUPERVISE = "telephony:supervise"
    RECORDING_LISTEN = "recording:listen"


_P = Permission
_DESK = {
    _P.SELF,
    _P.CUSTOMER_READ,
    _P.CUSTOMER_REVEAL,
    _P.CONTACT_READ,
    _P.TICKET_READ,
    _P.TICKET_WORK,
    _P.KNOWLEDGE_READ,
    _P.PROCESS_READ,
}
_PROVINCIAL_DESK = _DESK | {
    _P.CUSTOMER_WRITE,
    _P.CONTACT_CREATE,
    _P.TICKET_CREATE,
    _P.MONITOR_READ,
    _P.PHONE_USE,
    _P.TELEPHONY_READ,
}
_BRANCH_DESK = _DESK | {_P.CONTACT_CREATE, _P.TICKET_CREATE, _P.MONITOR_READ}

ROLE_PERMISSIONS: dict[Role, frozenset[Permission]] = {
    "agent": frozenset(
        _DESK | {_P.CUSTOMER_WRITE, _P.CONTACT_CREATE, _P.TICKET_CREATE, _P.PHONE_USE, _P.CALL_LIST_WORK}
    ),
    "dispatcher": frozenset(_PROVINCIAL_DESK | {_P.TICKET_BULK}),
    "reviewer": frozenset(_PROVINCIAL_DESK | {_P.TICKET_BULK, _P.RECORDING_LISTEN}),
    "supervisor": frozenset(
        _PROVINCIAL_DESK
        | {_P.TICKET_BULK, _P.CUSTOMER_MERGE, _P.KEY_LEVEL_DECIDE, _P.KNOWLEDGE_WRITE, _P.REPORT_READ, _P.EXPORT}
        | {_P.TOPIC_NAME}
        | {_P.TELEPHONY_SUPERVISE, _P.RECORDING_LISTEN}
        | {_P.CALL_LIST_READ, _P.CALL_LIST_WORK, _P.CAMPAIGN_MANAGE}
    ),
    "branch_handler": frozenset(_BRANCH_DESK),
    "branch_lead": frozenset(_BRANCH_DESK | {_P.CUSTOMER_WRITE, _P.TICKET_BULK}),
    "branch_manager": frozenset(
        _BRANCH_DESK
        | {_P.CUSTOMER_WRITE, _P.CUSTOMER_MERGE, _P.KEY_LEVEL_DECIDE, _P.TICKET_BULK}
        | {_P.REPORT_READ, _P.EXPORT, _P.CALL_LIST_READ}
    ),
    "analyst": frozenset({_P.SELF, _P.REPORT_READ, _P.PUBLICATION_RELEASE, _P.TELEPHONY_READ}),
    "manager": frozenset({_P.SELF, _P.REPORT_READ, _P.PUBLICATION_RELEASE, _P.MONITOR_READ, _P.TELEPHONY_READ}),
    "marketing": frozenset({_P.SELF, _P.REPORT_READ, _P.CALL_LIST_READ, _P.CAMPAIGN_MANAGE, _P.EXPORT}),
    "administrator": frozenset(
        {
            _P.SELF,
            _P.USER_MANAGE,
            _P.PUBLICATION_RELEASE,
            _P.AUDIT_READ,
            _P.PROCESS_READ,
            _P.PROCESS_MANAGE,
            _P.CALENDAR_MANAGE,
            _P.WEBHOOK_MANAGE,
            _P.METRICS_READ,
            _P.REPORT_READ,
        }
    ),
    # Machines (telephony, the web form's intake) hold an API token of a system user; nobody signs in as one.
    "system": frozenset(
        {
            _P.SELF,
            _P.CUSTOMER_READ,
            _P.CONTACT_READ,
            _P.CONTACT_CREATE,
            _P.TICKET_READ,
            _P.TICKET_CREATE,
            _P.METRICS_READ,
        }
    ),
}

ROLES: tuple[Role, ...] = tuple(ROLE_PERMISSIONS)


def permissions_of(role: Role, *, token_scopes: frozenset[str] | None = None) -> frozenset[Permission]:
    """What a role may do; with an API token, only what the token's scopes also name."""
    granted = ROLE_PERMISSIONS[role]
    if token_scopes is None:
        return granted
    return frozenset(permission for permission in granted if permission.value in token_scopes)

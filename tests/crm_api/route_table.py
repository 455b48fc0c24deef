"""Every route of the application: who may call it, and a request that succeeds for its own unit.

A new route without a row here fails `test_identity_matrix.py`. Roles are spelt out, not computed, so that a change of
rights shows as a change of this table.

How to add: `("GET", "/api/v1/things/{thing_id}"): Row(DESK, target="thing")`, and the ids of a thing per side in
`world.build_world`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

PUBLIC = frozenset({"public"})
EVERYONE = frozenset(
    {
        "agent",
        "dispatcher",
        "reviewer",
        "supervisor",
        "branch_handler",
        "branch_lead",
        "branch_manager",
        "analyst",
        "manager",
        "marketing",
        "administrator",
    }
)
BRANCH = frozenset({"branch_handler", "branch_lead", "branch_manager"})
PROVINCIAL_DESK = frozenset({"agent", "dispatcher", "reviewer", "supervisor"})
DESK = PROVINCIAL_DESK | BRANCH
ADMINISTRATOR = frozenset({"administrator"})
PROVINCE = frozenset({"dispatcher", "reviewer", "supervisor"})
BULK = PROVINCE | {"branch_lead", "branch_manager"}
MERGERS = frozenset({"supervisor", "branch_manager"})
REPORTS = frozenset({"supervisor", "branch_manager", "analyst", "manager", "marketing", "administrator"})
DECIDERS = frozenset({"supervisor", "branch_manager"})
NAMERS = frozenset({"supervisor"})
WATCHERS = PROVINCE | BRANCH | {"manager"}

CAMPAIGN_READERS = frozenset({"marketing", "supervisor", "branch_manager"})
CAMPAIGN_MANAGERS = frozenset({"marketing", "supervisor"})
LIST_CALLERS = frozenset({"agent", "supervisor"})

_numbers = count(1)


@dataclass(frozen=True)
class Row:
    """One route.

    Args:
        roles: who may call it.
        target: kind of the row in the path (its id per side comes from the world); None: no row is named.
        also: what stands in the path's further places.
        body: makes a fresh JSON body.
        form: makes a fresh form, for the frontend's routes.
        file: a fresh file to send, as (name, content).
        status: the answer on success.
        headers: further headers.
        query: the query string.
    """

    roles: frozenset[str]
    target: str | None = None
    body: Callable[[], dict[str, Any]] | None = None
    form: Callable[[], dict[str, Any]] | None = None
    file: Callable[[], tuple[str, bytes]] | None = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    query: str = ""
    also: dict[str, str] = field(default_factory=dict)


def _contact() -> dict[str, Any]:
    return {"channel": "walk_in", "external_id": f"m-{next(_numbers)}", "started_at": "2026-03-02T09:00:00+08:00"}


def _user() -> dict[str, Any]:
    return {
        "username": f"new{next(_numbers)}",
        "display_name": "新人",
        "role": "branch_handler",
        "unit_code": "baoji",
        "password": "quite-long-enough-1",
    }


def _ticket() -> dict[str, Any]:
    return {"channel_code": "voice", "service_type_code": "complaint", "title": "无图像"}


def _trouble_ticket() -> dict[str, Any]:
    return {"@type": "TroubleTicket", "description": "无图像", "severity": "Minor", "ticketType": "complaint"}


def _bulk() -> dict[str, Any]:
    return {"action": "cancel", "ticket_ids": [987654321], "parameters": {"reason": "重复"}}


def _process() -> dict[str, Any]:
    return {"start": "new", "states": [], "transitions": []}


def _article() -> dict[str, Any]:
    return {"kind": "article", "language": "zh-CN", "title": "营业时间", "body": "营业厅每日 8:30 至 18:00。"}


def _targets() -> dict[str, Any]:
    return {"calendar_code": "office", "first_response_seconds": 3600, "resolution_seconds": None}


def _file() -> tuple[str, bytes]:
    return "现场.txt", f"第 {next(_numbers)} 次上门".encode()


def _campaign() -> dict[str, Any]:
    return {
        "code": f"new-{next(_numbers)}",
        "name": "秋季宽带",
        "purpose": "marketing",
        "goal": "subscribe",
        "starts_on": "2026-03-02",
        "ends_on": "2026-03-31",
        "offers": [{"offer_code": "broadband_100"}],
        "units": [{"unit_id": 2, "calls_per_day": 10}],
    }


def _offer() -> dict[str, Any]:
    return {"code": f"offer_{next(_numbers)}", "name_zh": "新套餐", "name_en": "New", "margin_fen": 100}


def _group() -> dict[str, Any]:
    return {"code": f"G-{next(_numbers)}", "name": "酒店集团"}


ANY_VERSION = {"If-Match": "*"}

TABLE: dict[tuple[str, str], Row] = {
    # identity
    ("POST", "/api/v1/session"): Row(PUBLIC),
    ("GET", "/api/v1/oidc/login"): Row(PUBLIC),
    ("GET", "/api/v1/oidc/callback"): Row(PUBLIC),
    ("GET", "/api/v1/session"): Row(EVERYONE),
    ("DELETE", "/api/v1/session"): Row(EVERYONE, status=204),
    ("PUT", "/api/v1/session/password"): Row(
        EVERYONE, body=lambda: {"old_password": "x", "new_password": "irrelevant-here"}, status=422
    ),
    ("GET", "/api/v1/tokens"): Row(EVERYONE),
    ("POST", "/api/v1/tokens"): Row(EVERYONE, body=lambda: {"name": "t", "scopes": ["self"]}, status=201),
    ("DELETE", "/api/v1/tokens/{token_id}"): Row(EVERYONE, target="token", status=204),
    ("GET", "/api/v1/units"): Row(EVERYONE),
    # customers
    ("GET", "/api/v1/customers"): Row(DESK),
    ("GET", "/api/v1/customers/search"): Row(DESK, query="?q=13891234567"),
    ("GET", "/api/v1/customers/by-number/{number}"): Row(DESK, target="number"),
    ("GET", "/api/v1/customers/{customer_id}"): Row(DESK, target="customer"),
    ("GET", "/api/v1/customers/{customer_id}/view"): Row(DESK, target="customer"),
    ("POST", "/api/v1/customers/{customer_id}/reveal"): Row(
        DESK, target="customer", body=lambda: {"fields": ["phones"], "reason": "回电核实"}
    ),
    ("PATCH", "/api/v1/customers/{customer_id}"): Row(
        PROVINCIAL_DESK | {"branch_lead", "branch_manager"},
        target="customer",
        body=lambda: {"key_level": "none"},
        headers=ANY_VERSION,
    ),
    # groups of customers
    ("GET", "/api/v1/customer-groups"): Row(DESK),
    ("POST", "/api/v1/customer-groups"): Row(DECIDERS, body=_group, status=201),
    ("GET", "/api/v1/customer-groups/{group_id}"): Row(DESK, target="group"),
    ("PATCH", "/api/v1/customer-groups/{group_id}"): Row(
        DECIDERS, target="group", body=lambda: {"name": "渭滨酒店集团"}, headers=ANY_VERSION
    ),
    ("POST", "/api/v1/customer-groups/{group_id}/members"): Row(
        DECIDERS, target="group", body=lambda: {"customer_id": 987654321}, status=404
    ),
    ("DELETE", "/api/v1/customer-groups/{group_id}/members/{customer_id}"): Row(
        DECIDERS, target="group", also={"customer_id": "987654321"}, status=404
    ),
    ("POST", "/app/customers/{customer_id}/groups"): Row(
        DECIDERS, target="customer", form=lambda: {"group_id": "987654321"}, status=404
    ),
    ("POST", "/app/customers/{customer_id}/groups/{group_id}/leave"): Row(
        DECIDERS, target="customer", also={"group_id": "987654321"}, status=404
    ),
    # scores
    ("GET", "/api/v1/customers/{customer_id}/scores"): Row(DESK, target="customer"),
    ("GET", "/api/v1/key-level-proposals"): Row(DECIDERS),
    ("POST", "/api/v1/key-level-proposals/{proposal_id}/decision"): Row(
        DECIDERS, target="proposal", body=lambda: {"accept": True, "account_manager": "nobody"}, status=422
    ),
    # topics
    ("GET", "/api/v1/emerging-topics"): Row(NAMERS),
    ("POST", "/api/v1/emerging-topics/{topic_id}/naming"): Row(
        NAMERS, target="topic", body=lambda: {"complaint_type_code": "nothing"}, status=409
    ),
    ("POST", "/api/v1/emerging-topics/{topic_id}/dismissal"): Row(NAMERS, target="topic", body=dict, status=409),
    ("GET", "/app/proposals"): Row(DECIDERS),
    ("POST", "/app/proposals/levels/{proposal_id}"): Row(
        DECIDERS, target="proposal", form=lambda: {"decision": "accept", "account_manager": "nobody"}, status=422
    ),
    ("POST", "/app/proposals/topics/{topic_id}"): Row(
        NAMERS, target="topic", form=lambda: {"decision": "nothing"}, status=422
    ),
    ("GET", "/api/v1/customers/{customer_id}/duplicates"): Row(DESK, target="customer"),
    ("GET", "/api/v1/customers/{customer_id}/merges"): Row(DESK, target="customer"),
    # The merged one is unknown to everybody: who may merge learns that, the matrix changes nothing.
    ("POST", "/api/v1/customers/{customer_id}/merges"): Row(
        frozenset({"supervisor", "branch_manager"}),
        target="customer",
        body=lambda: {"merged_id": 987654321, "reason": "重复建档"},
        status=404,
    ),
    ("POST", "/api/v1/merges/{merge_id}/undo"): Row(
        frozenset({"supervisor", "branch_manager"}), target="merge", status=409
    ),
    ("GET", "/tmf-api/customerManagement/v5/customer"): Row(DESK),
    ("GET", "/tmf-api/customerManagement/v5/customer/{customer_id}"): Row(DESK, target="customer"),
    # contacts
    ("POST", "/api/v1/contacts"): Row(DESK, body=_contact, status=201),
    ("GET", "/api/v1/contacts"): Row(DESK),
    ("GET", "/api/v1/contacts/{contact_id}"): Row(DESK, target="contact"),
    ("PATCH", "/api/v1/contacts/{contact_id}"): Row(
        DESK, target="contact", body=lambda: {"text": "已回电"}, headers=ANY_VERSION
    ),
    ("GET", "/api/v1/wrap-up-codes"): Row(DESK),
    ("GET", "/api/v1/wrap-up-queues"): Row(ADMINISTRATOR),
    ("PUT", "/api/v1/wrap-up-queues/{queue_id}"): Row(
        ADMINISTRATOR, also={"queue_id": "987654321"}, body=lambda: {"is_required": True}, status=404
    ),
    # tickets: the process decides who takes which step, so steps here are unknown ones (422) of a ticket that is seen
    ("POST", "/api/v1/tickets"): Row(DESK, body=_ticket, status=201),
    ("GET", "/api/v1/tickets"): Row(DESK),
    ("GET", "/api/v1/tickets/by-code/{code}"): Row(DESK, also={"code": "W000000-0"}, status=404),
    ("GET", "/api/v1/tickets/{ticket_id}"): Row(DESK, target="work"),
    ("PATCH", "/api/v1/tickets/{ticket_id}"): Row(
        DESK, target="work", body=lambda: {"product_code": "digital_tv"}, headers=ANY_VERSION
    ),
    ("GET", "/api/v1/tickets/{ticket_id}/history"): Row(DESK, target="work"),
    ("POST", "/api/v1/tickets/{ticket_id}/transitions"): Row(
        DESK, target="work", body=lambda: {"step": "no-such-step"}, status=422
    ),
    ("GET", "/api/v1/tickets/{ticket_id}/clocks/{clock}/explanation"): Row(
        DESK, target="work", also={"clock": "resolution"}
    ),
    ("GET", "/api/v1/tickets/{ticket_id}/comments"): Row(DESK, target="work"),
    ("POST", "/api/v1/tickets/{ticket_id}/comments"): Row(
        DESK, target="work", body=lambda: {"body": "已联系客户"}, status=201
    ),
    ("GET", "/api/v1/tickets/{ticket_id}/checklist"): Row(DESK, target="work"),
    ("PUT", "/api/v1/tickets/{ticket_id}/checklist/{code}"): Row(
        DESK, target="work", also={"code": "none"}, body=lambda: {"done": True}, status=404
    ),
    ("GET", "/api/v1/tickets/{ticket_id}/children"): Row(DESK, target="work"),
    ("PUT", "/api/v1/tickets/{ticket_id}/parent"): Row(DESK, target="work", body=lambda: {"parent_id": None}),
    ("GET", "/api/v1/tickets/{ticket_id}/links"): Row(DESK, target="work"),
    ("POST", "/api/v1/tickets/{ticket_id}/links"): Row(
        DESK, target="work", body=lambda: {"other_id": 987654321}, status=404
    ),
    # The world's ticket is still worked.
    ("POST", "/api/v1/tickets/{ticket_id}/continuations"): Row(DESK, target="work", body=dict, status=409),
    ("GET", "/api/v1/tickets/{ticket_id}/assignments"): Row(DESK, target="work"),
    # A branch's own ticket, but no county of it.
    ("POST", "/api/v1/tickets/{ticket_id}/assignments"): Row(
        BRANCH, target="work", body=lambda: {"unit_id": 987654321}, status=422
    ),
    ("POST", "/api/v1/tickets/{ticket_id}/assignments/return"): Row(
        BRANCH, target="work", body=lambda: {"unit_id": 987654321, "reason": "已处理"}, status=409
    ),
    ("POST", "/api/v1/tickets/{ticket_id}/follow-up-calls"): Row(
        PROVINCE, target="work", body=lambda: {"outcome": "no_answer"}, status=409
    ),
    ("GET", "/api/v1/follow-up-calls/queue"): Row(PROVINCE),
    ("POST", "/api/v1/follow-up-calls/claim"): Row(PROVINCE),
    ("GET", "/api/v1/ticket-templates"): Row(DESK),
    ("POST", "/api/v1/bulk-actions/preview"): Row(BULK, body=_bulk),
    ("POST", "/api/v1/bulk-actions"): Row(BULK, body=_bulk, status=201),
    ("GET", "/api/v1/bulk-actions/proposals"): Row(BULK),
    ("POST", "/api/v1/bulk-actions/{bulk_id}/apply"): Row(PROVINCE, also={"bulk_id": "987654321"}, status=404),
    ("POST", "/api/v1/bulk-actions/{bulk_id}/undo"): Row(BULK, also={"bulk_id": "987654321"}, status=404),
    ("GET", "/api/v1/processes"): Row(DESK | ADMINISTRATOR),
    ("GET", "/api/v1/processes/versions/{version_id}"): Row(DESK | ADMINISTRATOR, also={"version_id": "1"}),
    ("POST", "/api/v1/processes/check"): Row(ADMINISTRATOR, body=_process),
    ("PUT", "/api/v1/processes/{process_code}/draft"): Row(
        ADMINISTRATOR, also={"process_code": "closed_loop"}, body=_process
    ),
    ("POST", "/api/v1/processes/versions/{version_id}/publish"): Row(
        ADMINISTRATOR, also={"version_id": "1"}, body=dict, status=409
    ),
    ("GET", "/api/v1/monitor/nodes"): Row(WATCHERS),
    ("GET", "/api/v1/monitor/tickets"): Row(WATCHERS),
    ("GET", "/api/v1/monitor/late"): Row(WATCHERS),
    ("GET", "/api/v1/monitor/step-times"): Row(WATCHERS),
    ("GET", "/api/v1/monitor/branches"): Row(WATCHERS),
    ("GET", "/tmf-api/troubleTicket/v5/troubleTicket"): Row(DESK),
    ("GET", "/tmf-api/troubleTicket/v5/troubleTicket/{ticket_id}"): Row(DESK, target="work"),
    ("POST", "/tmf-api/troubleTicket/v5/troubleTicket"): Row(DESK, body=_trouble_ticket, status=201),
    # An empty change is refused where the ticket is seen.
    ("PATCH", "/tmf-api/troubleTicket/v5/troubleTicket/{ticket_id}"): Row(DESK, target="work", body=dict, status=422),
    # attachments: what was removed for one role is gone for the next, so who may remove is asked about no file at all
    ("POST", "/api/v1/tickets/{ticket_id}/attachments"): Row(DESK, target="work", file=_file, status=201),
    ("GET", "/api/v1/tickets/{ticket_id}/attachments"): Row(DESK, target="work"),
    ("POST", "/api/v1/contacts/{contact_id}/attachments"): Row(DESK, target="contact", file=_file, status=201),
    ("GET", "/api/v1/contacts/{contact_id}/attachments"): Row(DESK, target="contact"),
    ("GET", "/api/v1/attachments/{attachment_id}"): Row(DESK, target="attachment"),
    ("DELETE", "/api/v1/attachments/{attachment_id}"): Row(DESK, also={"attachment_id": "987654321"}, status=404),
    ("POST", "/api/v1/complaint-type-suggestions"): Row(DESK, body=lambda: {"text": "无图像"}),
    ("POST", "/api/v1/complaint-type-suggestions/choices"): Row(
        DESK, body=lambda: {"text": "无图像", "chosen_code": "signal.digital_tv.no_picture"}, status=204
    ),
    # knowledge
    ("GET", "/api/v1/knowledge"): Row(DESK, query="?text=营业厅"),
    ("POST", "/api/v1/knowledge"): Row(frozenset({"supervisor"}), body=_article, status=201),
    ("GET", "/api/v1/knowledge/{article_id}"): Row(DESK, also={"article_id": "987654321"}, status=404),
    ("GET", "/api/v1/knowledge/{article_id}/versions"): Row(DESK, also={"article_id": "987654321"}, status=404),
    ("PUT", "/api/v1/knowledge/{article_id}"): Row(
        frozenset({"supervisor"}), also={"article_id": "987654321"}, body=_article, headers=ANY_VERSION, status=404
    ),
    ("DELETE", "/api/v1/knowledge/{article_id}"): Row(
        frozenset({"supervisor"}), also={"article_id": "987654321"}, status=404
    ),
    # campaigns: what asks for a step, an export or a file is refused by the draft's state where it is seen
    ("GET", "/api/v1/offers"): Row(CAMPAIGN_READERS),
    ("POST", "/api/v1/offers"): Row(CAMPAIGN_MANAGERS, body=_offer, status=201),
    ("GET", "/api/v1/campaigns"): Row(CAMPAIGN_READERS),
    ("POST", "/api/v1/campaigns"): Row(CAMPAIGN_MANAGERS, body=_campaign, status=201),
    ("GET", "/api/v1/campaigns/{campaign_id}"): Row(CAMPAIGN_READERS, target="campaign"),
    ("PATCH", "/api/v1/campaigns/{campaign_id}"): Row(
        CAMPAIGN_MANAGERS, target="campaign", body=lambda: {"holdout_percent": 20}, headers=ANY_VERSION
    ),
    ("GET", "/api/v1/campaigns/{campaign_id}/effects"): Row(CAMPAIGN_READERS, target="campaign"),
    ("GET", "/api/v1/campaigns/{campaign_id}/left-out"): Row(REPORTS, target="campaign", query="?gate=minor"),
    ("POST", "/api/v1/campaigns/{campaign_id}/builds"): Row(CAMPAIGN_MANAGERS, target="campaign", status=202),
    ("POST", "/api/v1/campaigns/{campaign_id}/steps"): Row(
        CAMPAIGN_MANAGERS, target="campaign", body=lambda: {"step": "start"}, status=409
    ),
    ("GET", "/api/v1/campaigns/{campaign_id}/entries"): Row(CAMPAIGN_READERS, target="campaign"),
    ("POST", "/api/v1/campaigns/{campaign_id}/export"): Row(
        CAMPAIGN_READERS, target="campaign", body=lambda: {"format": "csv"}, status=403
    ),
    ("POST", "/api/v1/campaigns/{campaign_id}/outcomes"): Row(CAMPAIGN_MANAGERS, target="campaign", status=422),
    ("POST", "/api/v1/campaigns/{campaign_id}/next"): Row(LIST_CALLERS, target="campaign", body=dict),
    ("POST", "/api/v1/call-list-entries/{entry_id}/check"): Row(
        LIST_CALLERS, also={"entry_id": "987654321"}, status=404
    ),
    ("POST", "/api/v1/call-list-entries/{entry_id}/outcome"): Row(
        LIST_CALLERS,
        also={"entry_id": "987654321"},
        body=lambda: {"outcome": "refused", "external_id": "m"},
        status=404,
    ),
    ("POST", "/api/v1/call-list-entries/{entry_id}/release"): Row(
        LIST_CALLERS, also={"entry_id": "987654321"}, status=404
    ),
    ("GET", "/app/campaigns"): Row(CAMPAIGN_READERS),
    ("GET", "/app/campaigns/new"): Row(CAMPAIGN_MANAGERS),
    ("POST", "/app/campaigns"): Row(CAMPAIGN_MANAGERS, form=lambda: {"code": ""}, status=422),
    ("GET", "/app/campaigns/{campaign_id}"): Row(CAMPAIGN_READERS, target="campaign"),
    ("GET", "/app/campaigns/{campaign_id}/edit"): Row(CAMPAIGN_MANAGERS, target="campaign"),
    ("POST", "/app/campaigns/{campaign_id}"): Row(CAMPAIGN_MANAGERS, target="campaign", status=422),
    ("POST", "/app/campaigns/{campaign_id}/effects"): Row(CAMPAIGN_READERS, target="campaign"),
    ("POST", "/app/campaigns/{campaign_id}/build"): Row(CAMPAIGN_MANAGERS, target="campaign"),
    ("POST", "/app/campaigns/{campaign_id}/steps"): Row(
        CAMPAIGN_MANAGERS, target="campaign", form=lambda: {"step": "start"}, status=409
    ),
    ("GET", "/app/campaigns/{campaign_id}/file"): Row(CAMPAIGN_READERS, target="campaign", status=403),
    ("POST", "/app/campaigns/{campaign_id}/outcomes"): Row(CAMPAIGN_MANAGERS, target="campaign", status=422),
    ("GET", "/app/calls"): Row(LIST_CALLERS),
    ("POST", "/app/calls/{campaign_id}/next"): Row(LIST_CALLERS, target="campaign"),
    ("POST", "/app/calls/entries/{entry_id}/check"): Row(LIST_CALLERS, also={"entry_id": "987654321"}, status=404),
    ("POST", "/app/calls/entries/{entry_id}/outcome"): Row(
        LIST_CALLERS, also={"entry_id": "987654321"}, form=lambda: {"outcome": "refused"}, status=404
    ),
    ("POST", "/app/calls/entries/{entry_id}/release"): Row(LIST_CALLERS, also={"entry_id": "987654321"}, status=404),
    # service levels: codes that nobody knows, so that the matrix changes nothing
    ("GET", "/api/v1/service-levels"): Row(ADMINISTRATOR),
    ("PUT", "/api/v1/service-levels/{policy_code}"): Row(
        ADMINISTRATOR, also={"policy_code": "none"}, body=_targets, status=404
    ),
    ("POST", "/api/v1/service-levels"): Row(
        ADMINISTRATOR,
        body=lambda: _targets() | {"code": f"new_{next(_numbers)}", "name_zh": "新", "name_en": "New"},
        status=201,
    ),
    ("DELETE", "/api/v1/service-levels/{policy_code}"): Row(ADMINISTRATOR, also={"policy_code": "none"}, status=404),
    ("PUT", "/api/v1/calendars/{calendar_code}/week"): Row(
        ADMINISTRATOR,
        also={"calendar_code": "none"},
        body=lambda: {"windows": [{"weekday": 1, "opens_second": 0, "closes_second": 3600}]},
        status=404,
    ),
    ("GET", "/api/v1/calendars/{calendar_code}"): Row(ADMINISTRATOR, also={"calendar_code": "office"}),
    ("PUT", "/api/v1/calendars/{calendar_code}/days/{day}"): Row(
        ADMINISTRATOR,
        also={"calendar_code": "none", "day": "2026-10-10"},
        body=lambda: {"follows_weekday": None},
        status=404,
    ),
    # administration
    ("GET", "/api/v1/users"): Row(ADMINISTRATOR),
    ("POST", "/api/v1/users"): Row(ADMINISTRATOR, body=_user, status=201),
    ("GET", "/api/v1/users/{user_id}"): Row(ADMINISTRATOR, target="user"),
    ("PATCH", "/api/v1/users/{user_id}"): Row(ADMINISTRATOR, target="user", body=lambda: {"display_name": "改名"}),
    ("POST", "/api/v1/users/{user_id}/password"): Row(ADMINISTRATOR, target="user"),
    ("POST", "/api/v1/users/{user_id}/tokens"): Row(
        ADMINISTRATOR, target="system", body=lambda: {"name": "t", "scopes": ["contact:create"]}, status=201
    ),
    ("GET", "/api/v1/audit"): Row(ADMINISTRATOR),
    ("GET", "/api/v1/webhooks"): Row(ADMINISTRATOR),
    # No host is allowed unless the installation names it.
    ("POST", "/api/v1/webhooks"): Row(
        ADMINISTRATOR, body=lambda: {"url": "https://hooks.example.com/", "events": ["contact.received"]}, status=422
    ),
    ("DELETE", "/api/v1/webhooks/{webhook_id}"): Row(ADMINISTRATOR, target="webhook", status=204),
    ("GET", "/api/v1/webhooks/{webhook_id}/deliveries"): Row(ADMINISTRATOR, target="webhook"),
    # reports
    ("GET", "/api/v1/report-subscriptions"): Row(REPORTS),
    ("POST", "/api/v1/report-subscriptions"): Row(
        REPORTS, body=lambda: {"kind": "daily", "unit": "baoji", "email": "a@example.com"}, status=201
    ),
    ("DELETE", "/api/v1/report-subscriptions/{subscription_id}"): Row(REPORTS, target="subscription", status=204),
    ("GET", "/api/v1/annotations"): Row(REPORTS, query="?first=2026-03-01&last=2026-03-31"),
    ("POST", "/api/v1/annotations"): Row(
        REPORTS, body=lambda: {"unit": "baoji", "first_day": "2026-03-02", "text": "光缆中断"}, status=201
    ),
    ("DELETE", "/api/v1/annotations/{annotation_id}"): Row(REPORTS, target="annotation", status=204),
    ("GET", "/api/v1/saved-views"): Row(REPORTS),
    ("POST", "/api/v1/saved-views"): Row(
        REPORTS, body=lambda: {"name": "周会", "page": "overview", "params": {"city": "xian"}}, status=201
    ),
    ("DELETE", "/api/v1/saved-views/{view_id}"): Row(REPORTS, also={"view_id": "987654321"}, status=404),
    ("GET", "/api/v1/reports"): Row(REPORTS),
    ("GET", "/api/v1/reports/{name}/{form}"): Row(REPORTS, also={"name": "no-such", "form": "pdf"}, status=404),
    ("GET", "/app/reports"): Row(REPORTS),
    ("POST", "/app/reports/subscriptions"): Row(REPORTS, form=dict, status=422),
    ("POST", "/app/reports/subscriptions/{subscription_id}/end"): Row(REPORTS, target="subscription"),
    ("GET", "/app/checks/{page}"): Row(REPORTS, also={"page": "index.en.html"}, status=404),
    ("GET", "/app/documents"): Row(REPORTS, status=404),
    ("GET", "/app/reports/{name}/{form}"): Row(REPORTS, also={"name": "no-such", "form": "pdf"}, status=404),
    # capture frontend: what a page may show decides its service, so forms here are refused (422) where they may be sent
    ("GET", "/"): Row(PUBLIC),
    ("GET", "/static/{name}"): Row(PUBLIC),
    ("GET", "/sign-in"): Row(PUBLIC),
    ("POST", "/sign-in"): Row(PUBLIC),
    ("POST", "/app/sign-out"): Row(EVERYONE, status=204),
    ("GET", "/app"): Row(EVERYONE),
    ("POST", "/app/notifications/{notification_id}/read"): Row(
        EVERYONE, also={"notification_id": "987654321"}, status=404
    ),
    ("POST", "/app/preferences"): Row(EVERYONE, form=lambda: {"look": "dark"}, status=204),
    ("POST", "/app/password"): Row(EVERYONE, form=lambda: {"old_password": "x", "new_password": "y"}, status=403),
    ("POST", "/app/drafts"): Row(EVERYONE, form=lambda: {"place": "capture", "text": "无图像"}, status=204),
    ("GET", "/app/events"): Row(EVERYONE, query="?seconds=0"),
    ("GET", "/app/customers"): Row(DESK, query="?q=13891234567"),
    ("POST", "/app/pop"): Row(DESK, form=lambda: {"number": "13891234567"}),
    ("GET", "/app/customers/{customer_id}"): Row(DESK, target="customer"),
    ("POST", "/app/customers/{customer_id}/reveal"): Row(DESK, target="customer", form=lambda: {"reason": "回电核实"}),
    ("GET", "/app/customers/{customer_id}/duplicates"): Row(DESK, target="customer"),
    ("POST", "/app/customers/{customer_id}/merge-preview"): Row(MERGERS, target="customer", status=422),
    ("POST", "/app/customers/{customer_id}/merge"): Row(MERGERS, target="customer", status=422),
    ("POST", "/app/merges/{merge_id}/undo"): Row(MERGERS, also={"merge_id": "987654321"}, status=404),
    ("GET", "/app/capture"): Row(DESK),
    ("POST", "/app/capture"): Row(DESK, form=lambda: {"text": "无图像"}, status=422),
    ("POST", "/app/capture/help"): Row(DESK, form=lambda: {"service_type_code": "complaint", "text": "无图像"}),
    ("POST", "/app/capture/listen"): Row(DESK, form=lambda: {"service_type_code": "complaint", "text": "无图像"}),
    ("GET", "/app/tickets"): Row(DESK),
    ("GET", "/app/tickets/{ticket_id}"): Row(DESK, target="ticket"),
    # Loaded without events, the world's ticket has no clock yet.
    ("GET", "/app/tickets/{ticket_id}/deadline"): Row(DESK, target="ticket", status=404),
    ("POST", "/app/tickets/{ticket_id}/steps"): Row(DESK, target="ticket", form=lambda: {"step": "none"}, status=422),
    ("POST", "/app/tickets/{ticket_id}/edit"): Row(DESK - {"agent"}, target="ticket", form=lambda: {"version": "0"}),
    ("POST", "/app/tickets/{ticket_id}/comments"): Row(DESK, target="ticket", form=lambda: {"body": ""}, status=422),
    ("POST", "/app/tickets/{ticket_id}/counties"): Row(DESK, target="ticket", status=422),
    ("POST", "/app/tickets/{ticket_id}/counties/return"): Row(DESK, target="ticket", status=422),
    ("POST", "/app/tickets/{ticket_id}/checklist"): Row(DESK, target="ticket", form=lambda: {"code": "x"}, status=404),
    ("POST", "/app/tickets/{ticket_id}/calls"): Row(PROVINCE, target="ticket", status=422),
    ("POST", "/app/tickets/{ticket_id}/presence"): Row(DESK, target="ticket", form=lambda: {"editing": "0"}),
    ("POST", "/app/tickets/{ticket_id}/continue"): Row(DESK, target="work", form=dict, status=409),
    ("POST", "/app/tickets/{ticket_id}/children"): Row(DESK, target="ticket", form=dict, status=422),
    ("POST", "/app/tickets/{ticket_id}/outage"): Row(DESK, target="ticket", form=dict, status=422),
    ("POST", "/app/tickets/{ticket_id}/parent"): Row(DESK, target="ticket", form=lambda: {"code": "W-0"}, status=404),
    ("POST", "/app/tickets/{ticket_id}/links"): Row(DESK, target="ticket", form=dict, status=422),
    ("POST", "/app/tickets/{ticket_id}/attachments"): Row(DESK, target="work", file=_file),
    ("POST", "/app/tickets/{ticket_id}/attachments/{attachment_id}/remove"): Row(
        DESK, target="ticket", also={"attachment_id": "987654321"}, status=404
    ),
    ("POST", "/app/proposals/{bulk_id}/accept"): Row(PROVINCE, also={"bulk_id": "987654321"}, status=404),
    ("POST", "/app/proposals/{bulk_id}/decline"): Row(PROVINCE, also={"bulk_id": "987654321"}, status=404),
    ("POST", "/app/tickets/bulk"): Row(BULK, form=lambda: {"action": "none", "ticket_id": "1"}, status=422),
    ("POST", "/app/tickets/bulk/{bulk_id}/undo"): Row(BULK, also={"bulk_id": "987654321"}, status=404),
    ("POST", "/app/callbacks/{callback_id}/postpone"): Row(
        DESK, also={"callback_id": "987654321"}, form=lambda: {"minutes": "10"}, status=404
    ),
    ("GET", "/app/dispatch"): Row(PROVINCE),
    ("GET", "/app/review"): Row(PROVINCE),
    ("GET", "/app/follow-up"): Row(PROVINCE),
    ("POST", "/app/follow-up/next"): Row(PROVINCE),
    ("GET", "/app/branch"): Row(BRANCH),
    ("POST", "/app/bulk"): Row(PROVINCE, form=lambda: {"action": "none", "ticket_id": "1"}, status=422),
    ("POST", "/app/bulk/{bulk_id}/undo"): Row(PROVINCE, also={"bulk_id": "987654321"}, status=404),
    ("POST", "/app/customers/{customer_id}/phones/{phone_id}/call"): Row(
        PROVINCIAL_DESK, target="customer", also={"phone_id": "987654321"}, status=404
    ),
    ("POST", "/app/callbacks/{callback_id}/call"): Row(PROVINCIAL_DESK, also={"callback_id": "987654321"}, status=404),
    ("GET", "/app/callbacks"): Row(DESK),
    ("GET", "/app/callbacks/due"): Row(DESK),
    ("POST", "/app/callbacks"): Row(DESK, form=lambda: {"number": "13891234567"}, status=422),
    ("POST", "/app/callbacks/{callback_id}/settle"): Row(
        DESK, target="unit", form=lambda: {"outcome": "reached"}, status=404
    ),
    ("GET", "/app/monitor"): Row(DESK - {"agent"} | {"manager"}),
    ("GET", "/app/process"): Row(DESK | ADMINISTRATOR),
    ("POST", "/app/process/look"): Row(ADMINISTRATOR),
    ("POST", "/app/process/steps"): Row(ADMINISTRATOR),
    ("POST", "/app/process/draft"): Row(ADMINISTRATOR),
    ("POST", "/app/process/activate"): Row(ADMINISTRATOR, status=422),
    ("GET", "/app/knowledge"): Row(DESK),
    ("POST", "/app/knowledge"): Row(frozenset({"supervisor"}), form=dict, status=422),
    ("GET", "/app/knowledge/{article_id}"): Row(DESK, also={"article_id": "987654321"}, status=404),
    ("POST", "/app/knowledge/{article_id}"): Row(
        frozenset({"supervisor"}), also={"article_id": "987654321"}, form=dict, status=404
    ),
    ("POST", "/app/knowledge/{article_id}/retire"): Row(
        frozenset({"supervisor"}), also={"article_id": "987654321"}, status=404
    ),
    ("GET", "/app/service-levels"): Row(ADMINISTRATOR),
    ("POST", "/app/service-levels/policies/{code}"): Row(ADMINISTRATOR, also={"code": "none"}, status=404),
    ("POST", "/app/service-levels/policies"): Row(ADMINISTRATOR, form=dict, status=422),
    ("POST", "/app/service-levels/policies/{code}/remove"): Row(ADMINISTRATOR, also={"code": "none"}, status=404),
    ("POST", "/app/service-levels/weeks"): Row(ADMINISTRATOR, form=lambda: {"calendar_code": "none"}, status=404),
    ("POST", "/app/service-levels/days"): Row(ADMINISTRATOR, form=lambda: {"day": "never"}, status=422),
    ("POST", "/api/v1/screen-pops"): Row(
        DESK, body=lambda: {"username": "nobody-at-all", "number": "13891234567"}, status=403
    ),
    # telephony: the matrix' people are no agents, so they have no phone
    ("GET", "/api/v1/phone"): Row(PROVINCIAL_DESK, status=404),
    ("POST", "/api/v1/phone/credentials"): Row(PROVINCIAL_DESK, status=404),
    ("PUT", "/api/v1/phone/state"): Row(PROVINCIAL_DESK, body=lambda: {"state": "available"}, status=404),
    ("POST", "/api/v1/phone/calls"): Row(PROVINCIAL_DESK, body=lambda: {"number": "13891234567"}, status=404),
    # The queues are the province's: the matrix' analyst works in a city.
    ("GET", "/api/v1/telephony/live"): Row(PROVINCE | {"manager"}),
    ("GET", "/api/v1/telephony/agents"): Row(frozenset({"supervisor"})),
    ("POST", "/api/v1/telephony/agents/{code}/listen"): Row(
        frozenset({"supervisor"}), also={"code": "none"}, body=lambda: {"mode": "listen"}, status=404
    ),
    ("POST", "/api/v1/telephony/agents/{code}/pause"): Row(
        frozenset({"supervisor"}), also={"code": "none"}, body=lambda: {"reason": "临时会议"}, status=404
    ),
    ("GET", "/api/v1/dialler"): Row(frozenset({"supervisor"})),
    ("POST", "/api/v1/dialler/stop"): Row(frozenset({"supervisor"}), body=lambda: {"reason": "名单有误"}),
    ("POST", "/api/v1/dialler/resume"): Row(frozenset({"supervisor"})),
    ("GET", "/api/v1/contacts/{contact_id}/recordings"): Row(frozenset({"supervisor", "reviewer"}), target="contact"),
    ("GET", "/api/v1/recordings/{recording_id}"): Row(
        frozenset({"supervisor", "reviewer"}), also={"recording_id": "987654321"}, status=404
    ),
    ("GET", "/app/contacts/{contact_id}/recordings"): Row(frozenset({"supervisor", "reviewer"}), target="contact"),
    ("GET", "/app/supervisor"): Row(frozenset({"supervisor"})),
    ("POST", "/app/supervisor/agents/{code}/join"): Row(
        frozenset({"supervisor"}), also={"code": "none"}, form=lambda: {"mode": "listen"}, status=404
    ),
    ("POST", "/app/supervisor/agents/{code}/pause"): Row(
        frozenset({"supervisor"}), also={"code": "none"}, form=lambda: {"reason": "临时会议"}, status=404
    ),
    ("POST", "/app/supervisor/dialler/stop"): Row(frozenset({"supervisor"}), form=lambda: {"reason": "名单有误"}),
    ("POST", "/app/supervisor/dialler/resume"): Row(frozenset({"supervisor"})),
    # operation
    ("GET", "/healthz"): Row(PUBLIC),
    ("GET", "/readyz"): Row(PUBLIC),
    ("GET", "/metrics"): Row(ADMINISTRATOR),
}

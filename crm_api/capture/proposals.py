"""What the models propose and a person decides: changes of key levels, and topics that fit no complaint type."""

from typing import Annotated

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.i18n import texts
from crm_api.capture.forms import Sent
from crm_api.capture.pages import language_of, render
from crm_api.customers.models import Customer
from crm_api.errors import InvalidError
from crm_api.identity.permissions import Permission
from crm_api.identity.sessions import Identity
from crm_api.organisation.models import OrgUnit
from crm_api.scores import proposals
from crm_api.scores.models import KeyLevelProposal
from crm_api.suggestions import topics
from crm_api.tickets.models import ComplaintType
from crm_api.web.dependencies import DbSession, From, RowId, requires

router = APIRouter(include_in_schema=False)
Decider = Annotated[Identity, requires(Permission.KEY_LEVEL_DECIDE)]
Namer = Annotated[Identity, requires(Permission.TOPIC_NAME)]
_SHOWN = 50


@router.get("/app/proposals")
def show(identity: Decider, session: DbSession, request: Request) -> Response:
    """What waits for a decision, the clearest first."""
    return _page(request, session, identity)


@router.post("/app/proposals/levels/{proposal_id}")
def decide_level(
    proposal_id: RowId, identity: Decider, session: DbSession, request: Request, sent: Sent, origin: From
) -> Response:
    """Accept or decline one change of a key level."""
    accept = sent.text("decision", longest=10) == "accept"
    proposals.decide(
        session,
        proposal_id,
        accept=accept,
        actor=identity.actor,
        note=sent.text("note", longest=300),
        account_manager=sent.text("account_manager", longest=60) if accept else None,
        origin=origin,
    )
    return _page(request, session, identity, told="levels.accepted" if accept else "levels.declined")


@router.post("/app/proposals/topics/{topic_id}")
def decide_topic(
    topic_id: RowId, identity: Namer, session: DbSession, request: Request, sent: Sent, origin: From
) -> Response:
    """Name a topic, or wave it off."""
    decision = sent.text("decision", longest=10)
    if decision == "dismiss":
        topics.dismiss(session, topic_id, actor=identity.actor, origin=origin)
        return _page(request, session, identity, told="topics.dismissed")
    if decision == "new":
        new = topics.NewType(
            slug=sent.text("slug", longest=40) or "",
            name_zh=sent.text("name_zh", longest=80) or "",
            name_en=sent.text("name_en", longest=80) or "",
            parent_code=sent.text("parent_code", longest=80),
        )
        topics.name(session, topic_id, actor=identity.actor, new=new, origin=origin)
    elif decision == "known":
        code = sent.text("complaint_type_code", longest=80)
        topics.name(session, topic_id, actor=identity.actor, complaint_type_code=code, origin=origin)
    else:
        raise InvalidError(f"decision is {decision!r}.", "It is one of: known, new, dismiss.")
    return _page(request, session, identity, told="topics.named")


def _page(request: Request, session: Session, identity: Identity, *, told: str | None = None) -> Response:
    session.flush()
    visible = proposals.visible(identity.actor)
    rows = list(session.scalars(visible.order_by(KeyLevelProposal.score.desc(), KeyLevelProposal.id).limit(_SHOWN)))
    waiting = session.scalar(select(func.count()).select_from(visible.subquery())) or 0
    customers = session.scalars(select(Customer).where(Customer.id.in_([row.customer_id for row in rows])))
    may_name = identity.may(Permission.TOPIC_NAME)
    found = topics.open_topics(session) if may_name else []
    types = select(ComplaintType).where(ComplaintType.deleted_at.is_(None)).order_by(ComplaintType.code)
    return render(
        request,
        session,
        identity,
        "proposals.html",
        p=texts("crm_api.suggestions", language_of(request, identity.language)),
        told=told,
        rows=rows,
        waiting=waiting,
        customers={each.id: each for each in customers},
        units={each.id: each for each in session.scalars(select(OrgUnit))},
        may_name=may_name,
        topics=[(each, topics.examples(session, each, actor=identity.actor)) for each in found],
        types=session.scalars(types).all() if found else [],
    )

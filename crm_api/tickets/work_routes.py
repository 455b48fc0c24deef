"""What hangs on a ticket: comments, checklist, children, links, counties' parts, follow-up calls."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from crm_api.identity.permissions import Permission
from crm_api.identity.sessions import Identity
from crm_api.tickets import assignments, checklists, comments, continuing, follow_up, relations
from crm_api.tickets.access import find
from crm_api.tickets.models import Ticket
from crm_api.tickets.schemas import TicketOut
from crm_api.tickets.work_schemas import (
    AssignmentIn,
    AssignmentOut,
    AssignmentReturnIn,
    CallIn,
    CallOut,
    ChecklistItemOut,
    ClaimOut,
    CommentIn,
    CommentOut,
    ContinuationIn,
    LinkIn,
    LinkOut,
    ParentIn,
    TemplateOut,
    TickIn,
)
from crm_api.web.dependencies import DbSession, RowId, requires
from crm_api.web.errors import problems
from crm_api.web.idempotency import Idempotent
from crm_api.web.paging import Paging, fetch_page
from crm_api.web.schemas import Page

router = APIRouter(prefix="/api/v1/tickets/{ticket_id}", tags=["tickets"])
calls = APIRouter(prefix="/api/v1/follow-up-calls", tags=["follow-up"])
templates = APIRouter(prefix="/api/v1/ticket-templates", tags=["tickets"])
ROUTERS = (router, calls, templates)
Reader = Annotated[Identity, requires(Permission.TICKET_READ)]
Worker = Annotated[Identity, requires(Permission.TICKET_WORK)]
Opener = Annotated[Identity, requires(Permission.TICKET_CREATE)]


@router.get("/comments", responses=problems(404))
def list_comments(ticket_id: RowId, identity: Reader, session: DbSession) -> list[CommentOut]:
    """The remarks on a ticket, oldest first."""
    found = comments.comments(session, actor=identity.actor, ticket_id=ticket_id)
    return [CommentOut.model_validate(row) for row in found]


@router.post("/comments", status_code=201, response_model=CommentOut, responses=problems(404, 409))
def add_comment(ticket_id: RowId, body: CommentIn, identity: Worker, session: DbSession, once: Idempotent) -> Response:
    """Remark on a ticket, for colleagues or for the customer."""

    def produce() -> CommentOut:
        made = comments.comment(
            session, actor=identity.actor, ticket_id=ticket_id, body=body.body, audience=body.audience
        )
        return CommentOut.model_validate(made)

    return once.run(produce)


@router.get("/checklist", responses=problems(404))
def get_checklist(ticket_id: RowId, identity: Reader, session: DbSession) -> list[ChecklistItemOut]:
    """What there is to do on the ticket."""
    find(session, actor=identity.actor, ticket_id=ticket_id)
    return [ChecklistItemOut.model_validate(row) for row in checklists.items(session, ticket_id=ticket_id)]


@router.put("/checklist/{code}", responses=problems(404, 409))
def tick_item(
    ticket_id: RowId,
    code: Annotated[str, Path(max_length=40)],
    body: TickIn,
    identity: Worker,
    session: DbSession,
) -> ChecklistItemOut:
    """Tick an item off, or take the tick back."""
    row = checklists.tick(session, actor=identity.actor, ticket_id=ticket_id, code=code, done=body.done)
    return ChecklistItemOut.model_validate(row)


@router.get("/children", responses=problems(404))
def list_children(ticket_id: RowId, identity: Reader, session: DbSession, page: Paging) -> Page[TicketOut]:
    """The children of a ticket that the caller sees, oldest first."""
    statement = relations.children_of(session, actor=identity.actor, ticket_id=ticket_id)
    rows, cursor = fetch_page(session, statement, keys=[Ticket.id], page=page)
    return Page(items=[TicketOut.model_validate(row) for row in rows], next_cursor=cursor)


@router.put("/parent", responses=problems(404, 409))
def set_parent(ticket_id: RowId, body: ParentIn, identity: Worker, session: DbSession) -> TicketOut:
    """Make the ticket a child of another (an outage), or of none."""
    relations.attach(session, actor=identity.actor, ticket_id=ticket_id, parent_id=body.parent_id)
    return TicketOut.model_validate(find(session, actor=identity.actor, ticket_id=ticket_id))


@router.get("/links", responses=problems(404))
def list_links(ticket_id: RowId, identity: Reader, session: DbSession) -> list[LinkOut]:
    """The links from and to the ticket whose other end the caller sees."""
    found = relations.links(session, actor=identity.actor, ticket_id=ticket_id)
    return [LinkOut.model_validate(row) for row in found]


@router.post("/links", status_code=201, response_model=LinkOut, responses=problems(404, 409))
def add_link(ticket_id: RowId, body: LinkIn, identity: Worker, session: DbSession, once: Idempotent) -> Response:
    """Point to a ticket that has to do with this one."""

    def produce() -> LinkOut:
        find(session, actor=identity.actor, ticket_id=ticket_id)
        made = relations.link(
            session, actor=identity.actor, ticket_id=ticket_id, other_id=body.other_id, kind=body.kind
        )
        return LinkOut.model_validate(made)

    return once.run(produce)


@router.post("/continuations", status_code=201, response_model=TicketOut, responses=problems(404, 409))
def continue_ticket(
    ticket_id: RowId, body: ContinuationIn, identity: Opener, session: DbSession, once: Idempotent
) -> Response:
    """Open a ticket that goes on from one that has ended, or from imported history; the two are linked."""

    def produce() -> TicketOut:
        made = continuing.continue_ticket(session, actor=identity.actor, ticket_id=ticket_id, **body.model_dump())
        session.flush()
        return TicketOut.model_validate(made)

    return once.run(produce)


@router.get("/assignments", responses=problems(404))
def list_assignments(ticket_id: RowId, identity: Reader, session: DbSession) -> list[AssignmentOut]:
    """The counties that the branch sent the ticket on to."""
    found = assignments.assignments(session, actor=identity.actor, ticket_id=ticket_id)
    return [AssignmentOut.model_validate(row) for row in found]


@router.post("/assignments", status_code=201, response_model=AssignmentOut, responses=problems(404, 409))
def send_to_county(
    ticket_id: RowId, body: AssignmentIn, identity: Worker, session: DbSession, once: Idempotent
) -> Response:
    """Send a ticket of one's branch on to one of its counties; the ticket's state stays."""

    def produce() -> AssignmentOut:
        made = assignments.sub_dispatch(
            session, actor=identity.actor, ticket_id=ticket_id, unit_id=body.unit_id, reason=body.reason
        )
        session.flush()
        return AssignmentOut.model_validate(made)

    return once.run(produce)


@router.post("/assignments/return", responses=problems(404, 409))
def return_from_county(
    ticket_id: RowId, body: AssignmentReturnIn, identity: Worker, session: DbSession
) -> list[AssignmentOut]:
    """Give a county's part back to its branch with what was done; the branch may take it back itself."""
    assignments.return_to_branch(
        session, actor=identity.actor, ticket_id=ticket_id, unit_id=body.unit_id, reason=body.reason
    )
    return list_assignments(ticket_id, identity, session)


@router.post("/follow-up-calls", status_code=201, response_model=CallOut, responses=problems(404, 409))
def record_call(ticket_id: RowId, body: CallIn, identity: Worker, session: DbSession, once: Idempotent) -> Response:
    """Write down a follow-up call; an answer also counts as the ticket's survey answer."""

    def produce() -> CallOut:
        made = follow_up.record_call(
            session,
            actor=identity.actor,
            ticket_id=ticket_id,
            outcome=body.outcome,
            score=body.score,
            note=body.note,
        )
        return CallOut.model_validate(made)

    return once.run(produce)


@calls.get("/queue", responses=problems())
def list_waiting(
    identity: Worker, session: DbSession, limit: Annotated[int, Query(ge=1, le=200)] = 50
) -> list[TicketOut]:
    """Whose customer may be called now and whom nobody else is calling, longest waiting first."""
    rows = follow_up.queue(session, actor=identity.actor, limit=limit)
    return [TicketOut.model_validate(row) for row in rows]


@calls.post("/claim", responses=problems(409))
def claim_call(identity: Worker, session: DbSession) -> ClaimOut:
    """Take the next customer to call; nobody else gets them for a quarter of an hour."""
    found = follow_up.claim_next(session, actor=identity.actor)
    return ClaimOut(ticket=TicketOut.model_validate(found) if found else None)


@templates.get("", responses=problems())
def list_templates(
    _identity: Reader, session: DbSession, service_type: Annotated[str | None, Query(max_length=60)] = None
) -> list[TemplateOut]:
    """Prefilled tickets with their checklists."""
    found = checklists.templates(session, service_type_code=service_type)
    return [TemplateOut.model_validate(row) for row in found]

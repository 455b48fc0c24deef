"""Topics that fit no complaint type, for a person to name, over HTTP."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import Field

from crm_api.identity.permissions import Permission
from crm_api.identity.sessions import Identity
from crm_api.suggestions import topics
from crm_api.suggestions.models import EmergingTopic
from crm_api.suggestions.routes import TypeCode
from crm_api.web.dependencies import DbSession, From, RowId, requires
from crm_api.web.errors import problems
from crm_api.web.idempotency import Idempotent
from crm_api.web.schemas import In, Out

router = APIRouter(prefix="/api/v1/emerging-topics", tags=["suggestions"])
Namer = Annotated[Identity, requires(Permission.TOPIC_NAME)]


class TopicOut(Out):
    """Recent complaints that share new words and fit no type."""

    id: int
    terms: list[str] = Field(description="Words that they share, most telling first")
    tickets: int = Field(description="How many")
    first_seen: date
    last_seen: date
    state: str
    complaint_type_code: str | None
    examples: list[str] = Field(description="Some of the texts within the caller's scope, numbers masked")


class NewTypeIn(In):
    """A complaint type to be made."""

    slug: str = Field(min_length=1, max_length=40, examples=["remote_control"])
    name_zh: str = Field(min_length=1, max_length=80)
    name_en: str = Field(min_length=1, max_length=80)
    parent_code: TypeCode | None = None


class NamingIn(In):
    """A type of the catalogue, or a new one."""

    complaint_type_code: TypeCode | None = None
    new_type: NewTypeIn | None = None


class DismissalIn(In):
    """Why it is no topic."""

    note: str | None = Field(default=None, max_length=300)


@router.get("", responses=problems())
def list_topics(identity: Namer, session: DbSession) -> list[TopicOut]:
    """What waits for a person, the largest first; the last scoring's."""
    return [_out(session, row, identity) for row in topics.open_topics(session)]


@router.post("/{topic_id}/naming", responses=problems(404, 409))
def name_topic(
    topic_id: RowId, body: NamingIn, identity: Namer, session: DbSession, origin: From, once: Idempotent
) -> Response:
    """Name it: the next training learns its complaints as that type; a new type enters the catalogue. Audited."""

    def produce() -> TopicOut:
        new = body.new_type
        found = topics.name(
            session,
            topic_id,
            actor=identity.actor,
            complaint_type_code=body.complaint_type_code,
            new=topics.NewType(new.slug, new.name_zh, new.name_en, new.parent_code) if new else None,
            origin=origin,
        )
        return _out(session, found, identity)

    return once.run(produce, status=200)


@router.post("/{topic_id}/dismissal", responses=problems(404, 409))
def dismiss_topic(topic_id: RowId, body: DismissalIn, identity: Namer, session: DbSession, origin: From) -> TopicOut:
    """It is no topic: it is not shown again. Audited."""
    found = topics.dismiss(session, topic_id, actor=identity.actor, note=body.note, origin=origin)
    return _out(session, found, identity)


def _out(session: DbSession, row: EmergingTopic, identity: Identity) -> TopicOut:
    return TopicOut(
        id=row.id,
        terms=row.terms,
        tickets=len(row.tickets),
        first_seen=row.first_seen,
        last_seen=row.last_seen,
        state=row.state,
        complaint_type_code=row.complaint_type_code,
        examples=topics.examples(session, row, actor=identity.actor),
    )

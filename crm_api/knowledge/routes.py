"""Knowledge articles and scripts over HTTP: searched by the desk, written by supervisors."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from pydantic import Field, StringConstraints

from crm_api.identity.permissions import Permission
from crm_api.identity.sessions import Identity
from crm_api.knowledge import service
from crm_api.web.dependencies import DbSession, From, RowId, requires
from crm_api.web.errors import problems
from crm_api.web.idempotency import Idempotent
from crm_api.web.schemas import Code, In, Out
from crm_api.web.versions import IfMatch, check_if_match, set_etag

router = APIRouter(prefix="/api/v1/knowledge", tags=["knowledge"])
Reader = Annotated[Identity, requires(Permission.KNOWLEDGE_READ)]
Writer = Annotated[Identity, requires(Permission.KNOWLEDGE_WRITE)]
Kind = Literal["article", "script", "module"]
Language = Literal["zh-CN", "en"]


class ArticleIn(In):
    """An article, a script (a step a line) or a text module (its title is what is typed after a semicolon)."""

    kind: Kind = "article"
    language: Language = "zh-CN"
    service_type_code: Code | None = Field(default=None, description="NULL: for all", examples=["complaint"])
    title: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
    body: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=20_000)]
    keywords: Annotated[str, StringConstraints(max_length=300)] = ""


class ArticleOut(Out):
    """An article or a script."""

    id: int
    kind: Kind
    language: Language
    service_type_code: str | None
    title: str
    body: str
    keywords: str
    version: int
    changed_by: str
    changed_at: datetime


class VersionOut(Out):
    """An article as it was once."""

    version: int
    kind: Kind
    language: Language
    service_type_code: str | None
    title: str
    body: str
    keywords: str
    changed_by: str
    changed_at: datetime


@router.get("", responses=problems())
def search(
    _identity: Reader,
    session: DbSession,
    text: Annotated[str | None, Query(max_length=500, description="What the customer says")] = None,
    service_type: Annotated[str | None, Query(max_length=60)] = None,
    kind: Annotated[Kind | None, Query()] = None,
    language: Annotated[Language, Query()] = "zh-CN",
    limit: Annotated[int, Query(ge=1, le=50)] = 10,
) -> list[ArticleOut]:
    """What helps with this service type and these words, best first."""
    found = service.find(session, language=language, service_type_code=service_type, text=text, kind=kind, limit=limit)
    return [ArticleOut.model_validate(row) for row in found]


@router.post("", status_code=201, response_model=ArticleOut, responses=problems(409))
def write(body: ArticleIn, identity: Writer, session: DbSession, origin: From, once: Idempotent) -> Response:
    """Write an article."""

    def produce() -> ArticleOut:
        made = service.write(session, actor=identity.actor, values=body.model_dump(), origin=origin)
        return ArticleOut.model_validate(made)

    return once.run(produce)


@router.get("/{article_id}", responses=problems(404))
def read(article_id: RowId, _identity: Reader, session: DbSession, response: Response) -> ArticleOut:
    """One article; the ETag is its version."""
    row = service.get(session, article_id)
    set_etag(response, row.version)
    return ArticleOut.model_validate(row)


@router.get("/{article_id}/versions", responses=problems(404))
def read_versions(article_id: RowId, _identity: Reader, session: DbSession) -> list[VersionOut]:
    """What an article said, newest first."""
    return [VersionOut.model_validate(row) for row in service.versions(session, article_id)]


@router.put("/{article_id}", responses=problems(404, 412, 428))
def rewrite(
    article_id: RowId,
    body: ArticleIn,
    identity: Writer,
    session: DbSession,
    response: Response,
    origin: From,
    if_match: IfMatch = None,
) -> ArticleOut:
    """Replace an article's words."""
    row = service.get(session, article_id, to_change=True)
    check_if_match(if_match, row.version)
    service.write(session, actor=identity.actor, values=body.model_dump(), article=row, origin=origin)
    set_etag(response, row.version)
    return ArticleOut.model_validate(row)


@router.delete("/{article_id}", status_code=204, responses=problems(404))
def retire(article_id: RowId, identity: Writer, session: DbSession, origin: From) -> None:
    """Show an article no more."""
    service.retire(session, actor=identity.actor, article_id=article_id, origin=origin)

"""Knowledge on a page: articles, scripts and text modules, read by the desk, written by who may, every version kept."""

from typing import Annotated, Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from crm_api.capture import names
from crm_api.capture.forms import Fields, Sent
from crm_api.capture.pages import language_of, render
from crm_api.errors import InvalidError, OutdatedError
from crm_api.identity.permissions import Permission
from crm_api.identity.sessions import Identity
from crm_api.knowledge import service
from crm_api.knowledge.models import ARTICLE_KINDS, ARTICLE_LANGUAGES, KnowledgeArticle
from crm_api.web.dependencies import DbSession, From, RowId, requires

router = APIRouter(include_in_schema=False)
Reader = Annotated[Identity, requires(Permission.KNOWLEDGE_READ)]
Writer = Annotated[Identity, requires(Permission.KNOWLEDGE_WRITE)]
_MOST = 200


@router.get("/app/knowledge")
def knowledge(
    identity: Reader,
    session: DbSession,
    request: Request,
    kind: str = "",
    language: str = "",
    service_type_code: str = "",
    q: str = "",
) -> Response:
    """All that is known, or what the filters leave."""
    asked = {"kind": kind, "language": language, "service_type_code": service_type_code, "q": q[:200]}
    return _list(request, session, identity, asked)


@router.get("/app/knowledge/{article_id}")
def article(article_id: RowId, identity: Reader, session: DbSession, request: Request) -> Response:
    """One article, with what it said before."""
    return _one(request, session, identity, article_id)


@router.post("/app/knowledge")
def write(identity: Writer, session: DbSession, request: Request, origin: From, sent: Sent) -> Response:
    """A new article, script or text module."""
    made = service.write(session, actor=identity.actor, values=_values(sent), origin=origin)
    return _one(request, session, identity, made.id, told="knowledge.saved")


@router.post("/app/knowledge/{article_id}")
def rewrite(
    article_id: RowId, identity: Writer, session: DbSession, request: Request, origin: From, sent: Sent
) -> Response:
    """New words; refused to who had not seen the present ones."""
    row = service.get(session, article_id, to_change=True)
    if sent.number("version") != row.version:
        raise OutdatedError("Somebody else changed this since you read it.", "Read it again, then retry.")
    service.write(session, actor=identity.actor, values=_values(sent), article=row, origin=origin)
    return _one(request, session, identity, article_id, told="knowledge.saved")


@router.post("/app/knowledge/{article_id}/retire")
def retire(article_id: RowId, identity: Writer, session: DbSession, request: Request, origin: From) -> Response:
    """Show it no more."""
    service.retire(session, actor=identity.actor, article_id=article_id, origin=origin)
    return _list(
        request,
        session,
        identity,
        dict.fromkeys(("kind", "language", "service_type_code", "q"), ""),
        told="knowledge.retired",
    )


def _values(sent: Fields) -> dict[str, Any]:
    values: dict[str, Any] = {
        "kind": sent.text("kind", longest=10) or "article",
        "language": sent.text("language", longest=8) or "zh-CN",
        "service_type_code": sent.text("service_type_code", longest=60),
        "title": sent.text("title", longest=200),
        "body": sent.text("body"),
        "keywords": sent.text("keywords", longest=300) or "",
    }
    for name, known in (("kind", ARTICLE_KINDS), ("language", ARTICLE_LANGUAGES)):
        if values[name] not in known:
            raise InvalidError(f"{name} is {values[name]!r}.", f"It is one of: {', '.join(known)}.")
    for name in ("title", "body"):
        if not values[name]:
            raise InvalidError(f"{name} is missing.", "Fill it in.")
    return values


def _shared(session: Session) -> dict[str, Any]:
    return {
        "kinds": ARTICLE_KINDS,
        "languages": ARTICLE_LANGUAGES,
        "service_types": {row.code: row for row in names.service_types(session)},
    }


def _list(request: Request, session: Session, identity: Identity, asked: dict[str, str], *, told: str = "") -> Response:
    language = asked["language"] or language_of(request, identity.language)
    if words := asked["q"].strip():
        found = service.find(session, language=language, text=words, limit=_MOST)
    else:
        statement = select(KnowledgeArticle).where(
            KnowledgeArticle.deleted_at.is_(None), KnowledgeArticle.language == language
        )
        order = (KnowledgeArticle.kind, KnowledgeArticle.service_type_code, KnowledgeArticle.title)
        found = list(session.scalars(statement.order_by(*order).limit(_MOST)))
    rows = [
        row
        for row in found
        if asked["kind"] in ("", row.kind) and asked["service_type_code"] in ("", row.service_type_code or "")
    ]
    given = _shared(session)
    return render(
        request, session, identity, "articles.html", rows=rows, asked=asked, shown=language, told=told, **given
    )


def _one(request: Request, session: Session, identity: Identity, article_id: int, *, told: str = "") -> Response:
    row = service.get(session, article_id)
    found = service.versions(session, article_id)
    return render(request, session, identity, "article.html", row=row, versions=found, told=told, **_shared(session))

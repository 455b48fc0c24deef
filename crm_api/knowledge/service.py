"""Writing, finding and retiring knowledge articles and scripts."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import ColumnElement, case, or_, select
from sqlalchemy.orm import Session

from core.actor import Actor
from core.time import utc_now
from crm_api.audit.service import Origin, record
from crm_api.contacts.models import ServiceType
from crm_api.dialect import begin_writing, contains
from crm_api.errors import InvalidError, NotFoundError
from crm_api.knowledge.models import KnowledgeArticle, KnowledgeVersion

FIELDS = ("kind", "language", "service_type_code", "title", "body", "keywords")
_WORD = re.compile(r"[A-Za-z0-9]{2,}|[一-鿿]{2,}")
_MOST_WORDS = 12
#: What is typed after a semicolon.
_CODE = re.compile(r"[a-z0-9]{1,12}")
_DELIVERED = Path(__file__).with_name("delivered.yml")


def find(
    session: Session,
    *,
    language: str,
    service_type_code: str | None = None,
    text: str | None = None,
    kind: str | None = None,
    limit: int = 10,
) -> list[KnowledgeArticle]:
    """What helps with this service type and these words, best first; without either, the newest.

    Chinese has no blanks between words: of a longer text each pair of characters is looked for, a title that holds it
    counts more than a body.
    """
    statement = select(KnowledgeArticle).where(
        KnowledgeArticle.deleted_at.is_(None), KnowledgeArticle.language == language
    )
    if kind is not None:
        statement = statement.where(KnowledgeArticle.kind == kind)
    if service_type_code is not None:
        kin = [service_type_code, service_type_code.split(".")[0]]
        column = KnowledgeArticle.service_type_code
        statement = statement.where(or_(column.is_(None), column.in_(kin)))
    score: ColumnElement[int] = case((KnowledgeArticle.service_type_code.is_(None), 0), else_=1)
    pieces = _pieces(text or "")
    if text and text.strip():
        if not pieces:
            return []
        hits = [_weight(piece) for piece in pieces]
        found = sum(hits[1:], hits[0])
        statement = statement.where(found > 0)
        score = found * 2 + score
    ranked = statement.order_by(score.desc(), KnowledgeArticle.changed_at.desc(), KnowledgeArticle.id.desc())
    return list(session.scalars(ranked.limit(limit)))


def _weight(piece: str) -> ColumnElement[int]:
    named = or_(contains(KnowledgeArticle.title, piece), contains(KnowledgeArticle.keywords, piece))
    return case((named, 3), (contains(KnowledgeArticle.body, piece), 1), else_=0)


def _pieces(text: str) -> list[str]:
    """Words of Latin letters, and pairs of Chinese characters; each once, the first few."""
    found: dict[str, None] = {}
    for word in _WORD.findall(text[:500]):
        if word.isascii():
            found[word] = None
        else:
            found.update(dict.fromkeys(word[place : place + 2] for place in range(len(word) - 1)))
    return list(found)[:_MOST_WORDS]


def get(session: Session, article_id: int, *, to_change: bool = False) -> KnowledgeArticle:
    """An article; NotFoundError if there is none."""
    if to_change:
        begin_writing(session)
    found = session.get(KnowledgeArticle, article_id, with_for_update=True if to_change else None)
    if found is None or found.deleted_at is not None:
        raise NotFoundError(f"There is no article {article_id}.")
    return found


def write(
    session: Session,
    *,
    actor: Actor,
    values: Mapping[str, Any],
    article: KnowledgeArticle | None = None,
    origin: Origin | None = None,
) -> KnowledgeArticle:
    """A new article, or `article` with new words.

    Raises:
        InvalidError: there is no such service type.
    """
    code = values.get("service_type_code")
    if code is not None and session.get(ServiceType, code) is None:
        raise InvalidError(f"There is no service_type_code {code!r}.", "Take a code of the catalogue.")
    row = article or KnowledgeArticle(version=0)
    for name in FIELDS:
        if name in values:
            setattr(row, name, values[name])
    if row.kind == "module" and not _CODE.fullmatch(row.title):
        raise InvalidError(f"A text module's code is {row.title!r}.", "Write small letters and digits, at most 12.")
    _keep(session, row, actor.username)
    record(session, "knowledge.written", actor=actor, subject=("article", row.id), origin=origin, version=row.version)
    return row


def _keep(session: Session, row: KnowledgeArticle, username: str) -> None:
    """The row as its next version, which stays as it is."""
    row.version, row.changed_by, row.changed_at = row.version + 1, username, utc_now()
    session.add(row)
    session.flush()
    words = {name: getattr(row, name) for name in (*FIELDS, "version", "changed_by", "changed_at")}
    words["keywords"] = row.keywords or ""
    session.add(KnowledgeVersion(article_id=row.id, **words))
    session.flush()


def versions(session: Session, article_id: int) -> list[KnowledgeVersion]:
    """What an article said, newest first; NotFoundError if there is no such article."""
    get(session, article_id)
    statement = select(KnowledgeVersion).where(KnowledgeVersion.article_id == article_id)
    return list(session.scalars(statement.order_by(KnowledgeVersion.version.desc())))


def load_delivered(session: Session) -> int:
    """Put the delivered scripts, text modules and articles into a store that has none; the number of rows written."""
    if session.scalar(select(KnowledgeArticle.id).where(KnowledgeArticle.kind != "article").limit(1)) is not None:
        return 0
    content = yaml.safe_load(_DELIVERED.read_text(encoding="utf-8"))
    names = {row.code: row for row in session.scalars(select(ServiceType))}
    written = 0
    for code, parts in [(None, content["shared"]), *content["service_types"].items()]:
        for key, language in (("zh", "zh-CN"), ("en", "en")):
            for kind, title, body in _delivered(parts, key, getattr(names.get(code), f"name_{key}", "")):
                row = KnowledgeArticle(version=0, kind=kind, language=language, title=title, body=body)
                row.service_type_code = code
                _keep(session, row, "system")
                written += 1
    return written


def _delivered(parts: Mapping[str, Any], key: str, name: str) -> Iterator[tuple[str, str, str]]:
    """Kind, title and body of what is delivered for a service type."""
    if parts.get("steps"):
        yield "script", name, "\n".join(step[key] for step in parts["steps"])
    for row in parts.get("modules", ()):
        yield "module", row["code"], row[key]
    for row in parts.get("knowledge", ()):
        yield "article", row["title_en"] if key == "en" else row["code"], row[key]


def retire(session: Session, *, actor: Actor, article_id: int, origin: Origin | None = None) -> None:
    """Show it no more; NotFoundError if there is none."""
    row = get(session, article_id, to_change=True)
    row.deleted_at = utc_now()
    record(session, "knowledge.retired", actor=actor, subject=("article", row.id), origin=origin)
    session.flush()

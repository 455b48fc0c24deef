"""What helps while talking: the script and text modules of a service type, in the reader's language."""

from dataclasses import dataclass

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from core.i18n import Language
from crm_api.knowledge.models import KnowledgeArticle


@dataclass(frozen=True)
class Module:
    """A piece of text that a short code stands for: `;reset` becomes the sentence."""

    code: str
    text: str


@dataclass(frozen=True)
class Script:
    """What to ask and say for a service type."""

    steps: tuple[str, ...]
    modules: tuple[Module, ...]


def script_of(session: Session, service_type_code: str, language: Language) -> Script:
    """The script of a service type (or of the type above it), with its modules and those that every type shares."""
    top = service_type_code.split(".")[0]
    column = KnowledgeArticle.service_type_code
    rows = session.scalars(
        select(KnowledgeArticle)
        .where(
            KnowledgeArticle.kind.in_(("script", "module")),
            KnowledgeArticle.language == language,
            KnowledgeArticle.deleted_at.is_(None),
            or_(column.is_(None), column.in_((service_type_code, top))),
        )
        .order_by(KnowledgeArticle.id)
    ).all()
    # What is nearest to the service type comes first.
    near = sorted(rows, key=lambda row: (row.service_type_code is None, row.service_type_code != service_type_code))
    script = next((row for row in near if row.kind == "script"), None)
    steps = tuple(line.strip() for line in (script.body if script else "").splitlines() if line.strip())
    modules = {row.title: Module(row.title, row.body) for row in reversed(near) if row.kind == "module"}
    return Script(steps, tuple(reversed(modules.values())))

"""What agents look up while they talk."""

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.database import Key, UtcDateTime
from crm_api.base import Base, one_of

#: A module is a piece of text that its title, typed after a semicolon, stands for; a script's lines are its steps.
ARTICLE_KINDS = ("article", "script", "module")
ARTICLE_LANGUAGES = ("zh-CN", "en")


class KnowledgeArticle(Base):
    """An article, a script to follow, or a text module, in one language; a service type of NULL: for all of them."""

    __tablename__ = "knowledge_articles"
    __table_args__ = (
        one_of("kind", ARTICLE_KINDS),
        one_of("language", ARTICLE_LANGUAGES),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    kind: Mapped[str] = mapped_column(String(10))
    language: Mapped[str] = mapped_column(String(8))
    service_type_code: Mapped[str | None] = mapped_column(ForeignKey("service_types.code"), index=True)
    title: Mapped[str] = mapped_column(String(200))
    body: Mapped[str] = mapped_column(Text)
    keywords: Mapped[str] = mapped_column(String(300), server_default="")
    version: Mapped[int] = mapped_column(server_default="1")
    changed_by: Mapped[str] = mapped_column(String(60))
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    deleted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class KnowledgeVersion(Base):
    """An article as it was once: rows are never changed."""

    __tablename__ = "knowledge_versions"
    __table_args__ = (UniqueConstraint("article_id", "version"),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    article_id: Mapped[int] = mapped_column(ForeignKey("knowledge_articles.id"))
    version: Mapped[int]
    kind: Mapped[str] = mapped_column(String(10))
    language: Mapped[str] = mapped_column(String(8))
    service_type_code: Mapped[str | None] = mapped_column(String(60))
    title: Mapped[str] = mapped_column(String(200))
    body: Mapped[str] = mapped_column(Text)
    keywords: Mapped[str] = mapped_column(String(300))
    changed_by: Mapped[str] = mapped_column(String(60))
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)

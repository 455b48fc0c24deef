"""Text modules are knowledge too, and every version of an article is kept"""

import sqlalchemy as sa
from alembic import op

from core.database import Key, UtcDateTime
from crm_api.migrations.append_only import append_only

revision = "0017_knowledge"
down_revision = "0016_analysis"
branch_labels = None
depends_on = None

_COPY = """
INSERT INTO knowledge_articles
       (id, kind, language, service_type_code, title, body, keywords, version, changed_by, changed_at, deleted_at)
SELECT id, kind, language, service_type_code, title, body, keywords, version, changed_by, changed_at, deleted_at
FROM knowledge_articles_before
"""
_KEEP = """
INSERT INTO knowledge_versions
       (article_id, version, kind, language, service_type_code, title, body, keywords, changed_by, changed_at)
SELECT id, version, kind, language, service_type_code, title, body, keywords, changed_by, changed_at
FROM knowledge_articles
"""


def _rebuild(kinds: str) -> None:
    """SQLite changes no check: the table is made anew with its rows."""
    op.drop_index(op.f("ix_knowledge_articles_service_type_code"), "knowledge_articles")
    op.rename_table("knowledge_articles", "knowledge_articles_before")
    op.create_table(
        "knowledge_articles",
        sa.Column("id", Key, nullable=False),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("service_type_code", sa.String(60), sa.ForeignKey("service_types.code")),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("keywords", sa.String(300), server_default="", nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("changed_by", sa.String(60), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.Column("deleted_at", UtcDateTime()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_knowledge_articles")),
        sa.CheckConstraint(f"kind IN ({kinds})", name=op.f("ck_knowledge_articles_kind_known")),
        sa.CheckConstraint("language IN ('zh-CN', 'en')", name=op.f("ck_knowledge_articles_language_known")),
    )
    op.execute(_COPY)
    op.drop_table("knowledge_articles_before")
    op.create_index(op.f("ix_knowledge_articles_service_type_code"), "knowledge_articles", ["service_type_code"])


def _allow(kinds: str) -> None:
    if op.get_bind().dialect.name != "postgresql":
        _rebuild(kinds)
        return
    op.drop_constraint(op.f("ck_knowledge_articles_kind_known"), "knowledge_articles", type_="check")
    op.create_check_constraint(op.f("ck_knowledge_articles_kind_known"), "knowledge_articles", f"kind IN ({kinds})")


def upgrade() -> None:
    _allow("'article', 'script', 'module'")
    op.create_table(
        "knowledge_versions",
        sa.Column("id", Key, nullable=False),
        sa.Column("article_id", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("service_type_code", sa.String(60)),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("keywords", sa.String(300), nullable=False),
        sa.Column("changed_by", sa.String(60), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_knowledge_versions")),
        sa.ForeignKeyConstraint(
            ["article_id"], ["knowledge_articles.id"], name=op.f("fk_knowledge_versions_article_id")
        ),
        sa.UniqueConstraint("article_id", "version", name=op.f("uq_knowledge_versions_article_id")),
    )
    op.execute(_KEEP)
    append_only(op.get_bind(), "knowledge_versions")


def downgrade() -> None:
    op.drop_table("knowledge_versions")
    op.execute("DELETE FROM knowledge_articles WHERE kind = 'module'")
    _allow("'article', 'script'")

"""Wrap-up codes, corrected suggestions, knowledge articles, messages of other systems, reminders of callbacks"""

from typing import Any

import sqlalchemy as sa
from alembic import op

from core.database import Key, UtcDateTime

revision = "0013_desk"
down_revision = "0012_reports"
branch_labels = None
depends_on = None

SERVICE_TYPE = "service_types.code"


def _key(
    table: str, column: str, target: str, kind: sa.types.TypeEngine[Any], *, needed: bool = True
) -> sa.Column[Any]:
    return sa.Column(
        column, kind, sa.ForeignKey(target, name=op.f(f"fk_{table}_{column}")), nullable=not needed, autoincrement=False
    )


def upgrade() -> None:
    op.create_table(
        "wrap_up_codes",
        sa.Column("code", sa.String(80), nullable=False),
        _key("wrap_up_codes", "parent_code", "wrap_up_codes.code", sa.String(80), needed=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("name_zh", sa.String(80), nullable=False),
        sa.Column("name_en", sa.String(80), nullable=False),
        sa.Column("is_active", sa.Boolean(), server_default="1", nullable=False),
        sa.Column("sort_order", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_wrap_up_codes")),
        sa.CheckConstraint("level BETWEEN 1 AND 2", name=op.f("ck_wrap_up_codes_level_1_to_2")),
        sa.CheckConstraint(
            "(level = 1) = (parent_code IS NULL)", name=op.f("ck_wrap_up_codes_only_level_1_has_no_parent")
        ),
    )
    op.create_table(
        "contact_wrap_ups",
        _key("contact_wrap_ups", "contact_id", "contacts.id", Key),
        _key("contact_wrap_ups", "code", "wrap_up_codes.code", sa.String(80)),
        sa.Column("chosen_by", sa.String(60), nullable=False),
        sa.Column("chosen_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("contact_id", name=op.f("pk_contact_wrap_ups")),
    )
    op.create_index(op.f("ix_contact_wrap_ups_code"), "contact_wrap_ups", ["code"])
    op.create_table(
        "queue_wrap_ups",
        _key("queue_wrap_ups", "queue_id", "queues.id", Key),
        sa.Column("is_required", sa.Boolean(), nullable=False),
        sa.Column("changed_by", sa.String(60), nullable=False),
        sa.PrimaryKeyConstraint("queue_id", name=op.f("pk_queue_wrap_ups")),
    )
    op.create_table(
        "complaint_suggestions",
        sa.Column("id", Key, nullable=False),
        sa.Column("text_sha256", sa.String(64), nullable=False),
        _key("complaint_suggestions", "ticket_id", "tickets.id", Key, needed=False),
        sa.Column("suggested", sa.JSON(), nullable=False),
        _key("complaint_suggestions", "chosen_code", "complaint_types.code", sa.String(80)),
        sa.Column("chosen_by", sa.String(60), nullable=False),
        sa.Column("chosen_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_complaint_suggestions")),
    )
    op.create_index(op.f("ix_complaint_suggestions_ticket_id"), "complaint_suggestions", ["ticket_id"])
    op.create_table(
        "knowledge_articles",
        sa.Column("id", Key, nullable=False),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        _key("knowledge_articles", "service_type_code", SERVICE_TYPE, sa.String(60), needed=False),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("keywords", sa.String(300), server_default="", nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("changed_by", sa.String(60), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.Column("deleted_at", UtcDateTime()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_knowledge_articles")),
        sa.CheckConstraint("kind IN ('article', 'script')", name=op.f("ck_knowledge_articles_kind_known")),
        sa.CheckConstraint("language IN ('zh-CN', 'en')", name=op.f("ck_knowledge_articles_language_known")),
    )
    op.create_index(op.f("ix_knowledge_articles_service_type_code"), "knowledge_articles", ["service_type_code"])
    op.create_table(
        "exchange_messages",
        sa.Column("id", Key, nullable=False),
        sa.Column("port", sa.String(8), nullable=False),
        sa.Column("direction", sa.String(3), nullable=False),
        sa.Column("external_id", sa.String(120), nullable=False),
        _key("exchange_messages", "ticket_id", "tickets.id", Key, needed=False),
        _key("exchange_messages", "contact_id", "contacts.id", Key, needed=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("reason", sa.String(300)),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("done_at", UtcDateTime()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exchange_messages")),
        sa.UniqueConstraint(
            "port", "direction", "external_id", name=op.f("uq_exchange_messages_port_direction_external_id")
        ),
        sa.CheckConstraint("port IN ('sms', 'office', 'foreign')", name=op.f("ck_exchange_messages_port_known")),
        sa.CheckConstraint("direction IN ('in', 'out')", name=op.f("ck_exchange_messages_direction_known")),
        sa.CheckConstraint("state IN ('waiting', 'done', 'refused')", name=op.f("ck_exchange_messages_state_known")),
    )
    op.create_index("ix_exchange_messages_waiting", "exchange_messages", ["state", "direction", "id"])
    op.create_index(op.f("ix_exchange_messages_ticket_id"), "exchange_messages", ["ticket_id"])
    op.add_column("callbacks", sa.Column("reminded_at", UtcDateTime()))


def downgrade() -> None:
    op.drop_column("callbacks", "reminded_at")
    for table in (
        "exchange_messages",
        "knowledge_articles",
        "complaint_suggestions",
        "queue_wrap_ups",
        "contact_wrap_ups",
        "wrap_up_codes",
    ):
        op.drop_table(table)

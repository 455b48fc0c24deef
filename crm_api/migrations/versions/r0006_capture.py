"""Drafts of forms, who is at which ticket, promised callbacks"""

import sqlalchemy as sa
from alembic import op

from core.database import Key, UtcDateTime

revision = "0006_capture"
down_revision = "0005_telephony"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "capture_drafts",
        sa.Column("id", Key, nullable=False),
        sa.Column("user_id", Key, sa.ForeignKey("users.id", name=op.f("fk_capture_drafts_user_id")), nullable=False),
        sa.Column("place", sa.String(60), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.Column("saved_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_capture_drafts")),
        sa.UniqueConstraint("user_id", "place", name=op.f("uq_capture_drafts_user_id_place")),
    )
    op.create_table(
        "ticket_presences",
        sa.Column(
            "ticket_id", Key, sa.ForeignKey("tickets.id", name=op.f("fk_ticket_presences_ticket_id")), nullable=False
        ),
        sa.Column("user_id", Key, sa.ForeignKey("users.id", name=op.f("fk_ticket_presences_user_id")), nullable=False),
        sa.Column("is_editing", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("seen_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("ticket_id", "user_id", name=op.f("pk_ticket_presences")),
    )
    op.create_table(
        "callbacks",
        sa.Column("id", Key, nullable=False),
        sa.Column("customer_id", Key, sa.ForeignKey("customers.id", name=op.f("fk_callbacks_customer_id"))),
        sa.Column("ticket_id", Key, sa.ForeignKey("tickets.id", name=op.f("fk_callbacks_ticket_id"))),
        sa.Column("number", sa.String(40)),
        sa.Column("username", sa.String(60), nullable=False),
        sa.Column("unit_id", Key, sa.ForeignKey("org_units.id", name=op.f("fk_callbacks_unit_id")), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=False),
        sa.Column("note", sa.String(300)),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("done_at", UtcDateTime()),
        sa.Column("outcome", sa.String(12)),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_callbacks")),
        sa.CheckConstraint("outcome IN ('reached', 'no_answer', 'cancelled')", name=op.f("ck_callbacks_outcome_known")),
    )
    op.create_index(op.f("ix_callbacks_customer_id"), "callbacks", ["customer_id"])
    op.create_index("ix_callbacks_username_due_at", "callbacks", ["username", "due_at"])


def downgrade() -> None:
    for table in ("callbacks", "ticket_presences", "capture_drafts"):
        op.drop_table(table)

"""Files attached to tickets and contacts"""

import sqlalchemy as sa
from alembic import op

from core.database import Key, UtcDateTime

revision = "0011_attachments"
down_revision = "0010_campaigns"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "attachments",
        sa.Column("id", Key, nullable=False),
        sa.Column("ticket_id", Key, sa.ForeignKey("tickets.id", name=op.f("fk_attachments_ticket_id"))),
        sa.Column("contact_id", Key, sa.ForeignKey("contacts.id", name=op.f("fk_attachments_contact_id"))),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("media_type", sa.String(100), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("uploaded_by", sa.String(60), nullable=False),
        sa.Column("unit_id", Key, sa.ForeignKey("org_units.id", name=op.f("fk_attachments_unit_id")), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("deleted_at", UtcDateTime()),
        sa.Column("deleted_by", sa.String(60)),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attachments")),
        sa.CheckConstraint("(ticket_id IS NULL) <> (contact_id IS NULL)", name=op.f("ck_attachments_one_owner")),
        sa.CheckConstraint("size_bytes > 0", name=op.f("ck_attachments_not_empty")),
    )
    for column in ("ticket_id", "contact_id", "sha256"):
        op.create_index(op.f(f"ix_attachments_{column}"), "attachments", [column])
    for column in ("ticket_id", "contact_id"):
        live = sa.text(f"deleted_at IS NULL AND {column} IS NOT NULL")
        op.create_index(
            f"uq_attachments_{column}_sha256",
            "attachments",
            [column, "sha256"],
            unique=True,
            sqlite_where=live,
            postgresql_where=live,
        )


def downgrade() -> None:
    op.drop_table("attachments")

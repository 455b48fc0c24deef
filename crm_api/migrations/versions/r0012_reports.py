"""Report subscriptions and their deliveries"""

import sqlalchemy as sa
from alembic import op

from core.database import Key, UtcDateTime

revision = "0012_reports"
down_revision = "0011_attachments"
branch_labels = None
depends_on = None

_KINDS = "kind IN ('daily', 'weekly', 'monthly')"


def upgrade() -> None:
    op.create_table(
        "report_subscriptions",
        sa.Column("id", Key, nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column(
            "unit_id",
            sa.BigInteger(),
            sa.ForeignKey("org_units.id", name=op.f("fk_report_subscriptions_unit_id")),
            nullable=False,
        ),
        sa.Column("email", sa.String(254), nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("forms", sa.String(20), nullable=False),
        sa.Column("created_by", sa.String(60), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_report_subscriptions")),
        sa.CheckConstraint(_KINDS, name=op.f("ck_report_subscriptions_kind_known")),
    )
    op.create_index(op.f("ix_report_subscriptions_unit_id"), "report_subscriptions", ["unit_id"])
    op.create_table(
        "report_deliveries",
        sa.Column("id", Key, nullable=False),
        sa.Column(
            "subscription_id",
            sa.BigInteger(),
            sa.ForeignKey("report_subscriptions.id", name=op.f("fk_report_deliveries_subscription_id")),
            nullable=False,
        ),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("period", sa.String(12), nullable=False),
        sa.Column(
            "unit_id",
            sa.BigInteger(),
            sa.ForeignKey("org_units.id", name=op.f("fk_report_deliveries_unit_id")),
            nullable=False,
        ),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("email", sa.String(254), nullable=False),
        sa.Column("state", sa.String(8), server_default="claimed", nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("claimed_at", UtcDateTime(), nullable=False),
        sa.Column("sent_at", UtcDateTime()),
        sa.Column("run_id", sa.String(40)),
        sa.Column("error", sa.String(300)),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_report_deliveries")),
        sa.UniqueConstraint("kind", "period", "unit_id", "language", "email", name="uq_report_deliveries_once"),
        sa.CheckConstraint(
            "state IN ('claimed', 'handed', 'sent', 'failed')", name=op.f("ck_report_deliveries_state_known")
        ),
    )
    op.create_index(op.f("ix_report_deliveries_subscription_id"), "report_deliveries", ["subscription_id"])


def downgrade() -> None:
    for table in ("report_deliveries", "report_subscriptions"):
        op.drop_table(table)

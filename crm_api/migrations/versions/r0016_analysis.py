"""Annotations of days and saved views"""

import sqlalchemy as sa
from alembic import op

from core.database import Key, UtcDateTime

revision = "0016_analysis"
down_revision = "0015_topics"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "annotations",
        sa.Column("id", Key, nullable=False),
        sa.Column("unit_id", sa.BigInteger(), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("text", sa.String(200), nullable=False),
        sa.Column("created_by", sa.String(60), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime()),
        sa.CheckConstraint("last_day >= first_day", name=op.f("ck_annotations_days_in_order")),
        sa.ForeignKeyConstraint(["unit_id"], ["org_units.id"], name=op.f("fk_annotations_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_annotations")),
    )
    op.create_index(op.f("ix_annotations_unit_id"), "annotations", ["unit_id"])
    op.create_index("ix_annotations_days", "annotations", ["first_day", "last_day"])
    op.create_table(
        "saved_views",
        sa.Column("id", Key, nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(60), nullable=False),
        sa.Column("page", sa.String(40), nullable=False),
        sa.Column("params", sa.JSON(), nullable=False),
        sa.Column("saved_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_saved_views_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_views")),
        sa.UniqueConstraint("user_id", "name", name="uq_saved_views_name"),
    )
    op.create_index(op.f("ix_saved_views_user_id"), "saved_views", ["user_id"])


def downgrade() -> None:
    for table in ("saved_views", "annotations"):
        op.drop_table(table)

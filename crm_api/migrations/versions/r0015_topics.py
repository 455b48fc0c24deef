"""Emerging topics wait for a person to name them"""

import sqlalchemy as sa
from alembic import op

from core.database import Key, UtcDateTime

revision = "0015_topics"
down_revision = "0014_policies_captured"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "emerging_topics",
        sa.Column("id", Key, nullable=False),
        sa.Column("terms", sa.JSON(), nullable=False),
        sa.Column("tickets", sa.JSON(), nullable=False),
        sa.Column("first_seen", sa.Date(), nullable=False),
        sa.Column("last_seen", sa.Date(), nullable=False),
        sa.Column("found_at", UtcDateTime(), nullable=False),
        sa.Column("state", sa.String(length=12), server_default="open", nullable=False),
        sa.Column("complaint_type_code", sa.String(length=80), nullable=True),
        sa.Column("decided_by", sa.String(length=60), nullable=True),
        sa.Column("decided_at", UtcDateTime(), nullable=True),
        sa.Column("note", sa.String(length=300), nullable=True),
        sa.CheckConstraint(
            "state IN ('open', 'named', 'dismissed', 'superseded')", name=op.f("ck_emerging_topics_state_known")
        ),
        sa.ForeignKeyConstraint(
            ["complaint_type_code"],
            ["complaint_types.code"],
            name=op.f("fk_emerging_topics_complaint_type_code_complaint_types"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_emerging_topics")),
    )
    op.create_index("ix_emerging_topics_state", "emerging_topics", ["state"])


def downgrade() -> None:
    op.drop_index("ix_emerging_topics_state", table_name="emerging_topics")
    op.drop_table("emerging_topics")

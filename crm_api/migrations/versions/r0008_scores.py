"""Latest scores of customers, the words of their reasons, proposed key levels"""

import sqlalchemy as sa
from alembic import op

from core.database import Key, UtcDateTime

revision = "0008_scores"
down_revision = "0007_phone"
branch_labels = None
depends_on = None

_LEVELS = "('none', 'silver', 'gold', 'platinum')"


def upgrade() -> None:
    op.create_table(
        "customer_scores",
        sa.Column("customer_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("model", sa.String(40), nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("percentile", sa.Integer(), nullable=False),
        sa.Column("label", sa.String(40), nullable=False),
        sa.Column("version", sa.String(40), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("reasons", sa.String(400), nullable=False),
        sa.PrimaryKeyConstraint("customer_id", "model", name=op.f("pk_customer_scores")),
    )
    op.create_index("ix_customer_scores_model_score", "customer_scores", ["model", "score"])
    op.create_table(
        "score_texts",
        sa.Column("model", sa.String(40), nullable=False),
        sa.Column("code", sa.String(80), nullable=False),
        sa.Column("text_zh", sa.String(400), nullable=False),
        sa.Column("text_en", sa.String(400), nullable=False),
        sa.PrimaryKeyConstraint("model", "code", name=op.f("pk_score_texts")),
    )
    op.create_table(
        "key_level_proposals",
        sa.Column("id", Key, nullable=False),
        sa.Column(
            "customer_id",
            Key,
            sa.ForeignKey("customers.id", name=op.f("fk_key_level_proposals_customer_id")),
            nullable=False,
        ),
        sa.Column("unit_id", Key, sa.ForeignKey("org_units.id", name=op.f("fk_key_level_proposals_unit_id"))),
        sa.Column("from_level", sa.String(12), nullable=False),
        sa.Column("to_level", sa.String(12), nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("parts", sa.JSON(), nullable=False),
        sa.Column("version", sa.String(40), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("proposed_at", UtcDateTime(), nullable=False),
        sa.Column("state", sa.String(12), server_default="open", nullable=False),
        sa.Column("decided_by", sa.String(60)),
        sa.Column("decided_at", UtcDateTime()),
        sa.Column("note", sa.String(300)),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_key_level_proposals")),
        sa.CheckConstraint(f"from_level IN {_LEVELS}", name=op.f("ck_key_level_proposals_from_level_known")),
        sa.CheckConstraint(f"to_level IN {_LEVELS}", name=op.f("ck_key_level_proposals_to_level_known")),
        sa.CheckConstraint(
            "state IN ('open', 'accepted', 'declined', 'superseded')", name=op.f("ck_key_level_proposals_state_known")
        ),
    )
    op.create_index(op.f("ix_key_level_proposals_customer_id"), "key_level_proposals", ["customer_id"])
    op.create_index("ix_key_level_proposals_state_unit_id", "key_level_proposals", ["state", "unit_id"])


def downgrade() -> None:
    for table in ("key_level_proposals", "score_texts", "customer_scores"):
        op.drop_table(table)

"""Telephony's sign of life, which the softphone and the live figures look at"""

import sqlalchemy as sa
from alembic import op

from core.database import Key, UtcDateTime

revision = "0007_phone"
down_revision = "0006_capture"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "telephony_signs",
        sa.Column("id", Key, nullable=False),
        sa.Column("seen_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_telephony_signs")),
    )


def downgrade() -> None:
    op.drop_table("telephony_signs")

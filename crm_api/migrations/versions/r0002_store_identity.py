"""Who a store is: ingestion recognises a restored or replaced one by it"""

from uuid import uuid4

import sqlalchemy as sa
from alembic import op

revision = "0002_store_identity"
down_revision = "0001_spine"
branch_labels = None
depends_on = None


def upgrade() -> None:
    identity = op.create_table(
        "store_identity",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("restore_number", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_store_identity")),
    )
    op.bulk_insert(identity, [{"id": str(uuid4()), "restore_number": 0}])


def downgrade() -> None:
    op.drop_table("store_identity")

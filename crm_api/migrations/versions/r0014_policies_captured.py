"""Service-level policies reach the lake with every version"""

import sqlalchemy as sa
from alembic import op

from core.database import UtcDateTime
from crm_api.migrations.capture import capture

revision = "0014_policies_captured"
down_revision = "0013_desk"
branch_labels = None
depends_on = None

_SQLITE = ("row_version_insert", "row_version_update", "no_delete")


def upgrade() -> None:
    op.add_column(
        "sla_policies", sa.Column("row_version", sa.BigInteger(), server_default=sa.text("0"), nullable=False)
    )
    op.add_column("sla_policies", sa.Column("deleted_at", UtcDateTime(), nullable=True))
    op.create_index(op.f("ix_sla_policies_row_version"), "sla_policies", ["row_version"])
    capture(op.get_bind(), "sla_policies")
    # The policies that are there already get a version too, so that the next load takes them.
    op.execute("UPDATE sla_policies SET is_active = is_active")


def downgrade() -> None:
    postgresql = op.get_bind().dialect.name == "postgresql"
    names = ("row_version", "no_delete", "no_truncate") if postgresql else _SQLITE
    for name in names:
        op.execute(f"DROP TRIGGER sla_policies_{name}" + (" ON sla_policies" if postgresql else ""))
    op.drop_index(op.f("ix_sla_policies_row_version"), "sla_policies")
    op.drop_column("sla_policies", "deleted_at")
    op.drop_column("sla_policies", "row_version")

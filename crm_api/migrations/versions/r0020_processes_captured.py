"""Versions of the process reach the lake, so that the marts know the loop's targets as they held"""

import sqlalchemy as sa
from alembic import op

from core.database import UtcDateTime
from crm_api.migrations.capture import capture

revision = "0020_processes_captured"
down_revision = "0019_key_customers"
branch_labels = None
depends_on = None

_SQLITE = ("row_version_insert", "row_version_update", "no_delete")
_TABLE = "process_versions"


def upgrade() -> None:
    op.add_column(_TABLE, sa.Column("row_version", sa.BigInteger(), server_default=sa.text("0"), nullable=False))
    op.add_column(_TABLE, sa.Column("deleted_at", UtcDateTime(), nullable=True))
    op.create_index(op.f(f"ix_{_TABLE}_row_version"), _TABLE, ["row_version"])
    capture(op.get_bind(), _TABLE)
    # The versions that are there already get a number too, so that the next load takes them.
    op.execute("UPDATE process_versions SET status = status")


def downgrade() -> None:
    postgresql = op.get_bind().dialect.name == "postgresql"
    names = ("row_version", "no_delete", "no_truncate") if postgresql else _SQLITE
    for name in names:
        op.execute(f"DROP TRIGGER {_TABLE}_{name}" + (f" ON {_TABLE}" if postgresql else ""))
    op.drop_index(op.f(f"ix_{_TABLE}_row_version"), _TABLE)
    op.drop_column(_TABLE, "deleted_at")
    op.drop_column(_TABLE, "row_version")

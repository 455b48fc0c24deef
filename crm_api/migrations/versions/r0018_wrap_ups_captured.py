"""Wrap-up codes and what was chosen reach the lake with every version"""

import sqlalchemy as sa
from alembic import op

from core.database import UtcDateTime
from crm_api.migrations.capture import capture

revision = "0018_wrap_ups_captured"
down_revision = "0017_knowledge"
branch_labels = None
depends_on = None

_SQLITE = ("row_version_insert", "row_version_update", "no_delete")
_TABLES = ("wrap_up_codes", "contact_wrap_ups")


def upgrade() -> None:
    for table in _TABLES:
        op.add_column(table, sa.Column("row_version", sa.BigInteger(), server_default=sa.text("0"), nullable=False))
        op.add_column(table, sa.Column("deleted_at", UtcDateTime(), nullable=True))
        op.create_index(op.f(f"ix_{table}_row_version"), table, ["row_version"])
        capture(op.get_bind(), table)
    # The rows that are there already get a version too, so that the next load takes them.
    op.execute("UPDATE wrap_up_codes SET is_active = is_active")
    op.execute("UPDATE contact_wrap_ups SET code = code")


def downgrade() -> None:
    postgresql = op.get_bind().dialect.name == "postgresql"
    names = ("row_version", "no_delete", "no_truncate") if postgresql else _SQLITE
    for table in _TABLES:
        for name in names:
            op.execute(f"DROP TRIGGER {table}_{name}" + (f" ON {table}" if postgresql else ""))
        op.drop_index(op.f(f"ix_{table}_row_version"), table)
        op.drop_column(table, "deleted_at")
        op.drop_column(table, "row_version")

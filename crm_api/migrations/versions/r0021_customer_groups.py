"""Groups of customers and their members, captured"""

import sqlalchemy as sa
from alembic import op

from core.database import Key, UtcDateTime
from crm_api.migrations.capture import capture, captured_columns

revision = "0021_customer_groups"
down_revision = "0020_processes_captured"
branch_labels = None
depends_on = None

_GROUPS, _MEMBERS = "customer_groups", "customer_group_members"


def upgrade() -> None:
    op.create_table(
        _GROUPS,
        sa.Column("id", Key, nullable=False),
        sa.Column("code", sa.String(60), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column(
            "unit_id", Key, sa.ForeignKey("org_units.id", name=op.f("fk_customer_groups_unit_id")), nullable=False
        ),
        sa.Column("manager_id", Key, sa.ForeignKey("users.id", name=op.f("fk_customer_groups_manager_id"))),
        sa.Column("is_active", sa.Boolean(), server_default="1", nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        *captured_columns(),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer_groups")),
        sa.UniqueConstraint("code", name=op.f("uq_customer_groups_code")),
    )
    op.create_table(
        _MEMBERS,
        sa.Column("id", Key, nullable=False),
        sa.Column(
            "group_id",
            Key,
            sa.ForeignKey("customer_groups.id", name=op.f("fk_customer_group_members_group_id")),
            nullable=False,
        ),
        sa.Column(
            "customer_id",
            Key,
            sa.ForeignKey("customers.id", name=op.f("fk_customer_group_members_customer_id")),
            nullable=False,
        ),
        sa.Column("joined_at", UtcDateTime(), nullable=False),
        sa.Column("left_at", UtcDateTime()),
        *captured_columns(),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer_group_members")),
        sa.CheckConstraint(
            "left_at IS NULL OR left_at >= joined_at",
            name=op.f("ck_customer_group_members_left_at_not_before_start"),
        ),
    )
    for table, columns in ((_GROUPS, ("unit_id", "manager_id")), (_MEMBERS, ("group_id", "customer_id"))):
        for column in (*columns, "row_version"):
            op.create_index(op.f(f"ix_{table}_{column}"), table, [column])
        capture(op.get_bind(), table)
    present = sa.text("left_at IS NULL AND deleted_at IS NULL")
    op.create_index(
        "uq_customer_group_members_present",
        _MEMBERS,
        ["group_id", "customer_id"],
        unique=True,
        postgresql_where=present,
        sqlite_where=present,
    )


def downgrade() -> None:
    for table in (_MEMBERS, _GROUPS):
        op.drop_table(table)

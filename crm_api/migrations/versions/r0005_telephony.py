"""How queues hand out calls, agents' phones, and the residual of reconciliation"""

import sqlalchemy as sa
from alembic import op

from core.database import Key, UtcDateTime
from crm_api.migrations.capture import capture, captured_columns

revision = "0005_telephony"
down_revision = "0004_identity"
branch_labels = None
depends_on = None

CAPTURED = ("queue_routings", "telephony_residuals")


def upgrade() -> None:
    op.create_table(
        "queue_routings",
        sa.Column("id", Key, nullable=False),
        sa.Column("queue_id", Key, sa.ForeignKey("queues.id", name=op.f("fk_queue_routings_queue_id")), nullable=False),
        sa.Column("strategy", sa.String(20), server_default="least_recent", nullable=False),
        sa.Column("ring_seconds", sa.Integer(), server_default="15", nullable=False),
        sa.Column("wrap_up_seconds", sa.Integer(), server_default="10", nullable=False),
        sa.Column("max_waiting", sa.Integer(), server_default="0", nullable=False),
        sa.Column("max_wait_seconds", sa.Integer(), server_default="0", nullable=False),
        sa.Column("weight", sa.Integer(), server_default="0", nullable=False),
        *captured_columns(),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_queue_routings")),
        sa.UniqueConstraint("queue_id", name=op.f("uq_queue_routings_queue_id")),
        sa.CheckConstraint(
            "strategy IN ('ring_all', 'least_recent', 'fewest_calls', 'linear', 'weighted_random', 'skill_rank')",
            name=op.f("ck_queue_routings_strategy_known"),
        ),
        sa.CheckConstraint("ring_seconds BETWEEN 1 AND 300", name=op.f("ck_queue_routings_ring_seconds_sane")),
        sa.CheckConstraint(
            "wrap_up_seconds >= 0 AND max_waiting >= 0 AND max_wait_seconds >= 0",
            name=op.f("ck_queue_routings_not_negative"),
        ),
    )
    op.create_table(
        "agent_endpoints",
        sa.Column(
            "agent_id", Key, sa.ForeignKey("agents.id", name=op.f("fk_agent_endpoints_agent_id")), nullable=False
        ),
        sa.Column("kind", sa.String(8), server_default="webrtc", nullable=False),
        sa.Column("secret", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("agent_id", name=op.f("pk_agent_endpoints")),
        sa.CheckConstraint("kind IN ('sip', 'webrtc')", name=op.f("ck_agent_endpoints_kind_known")),
    )
    op.create_table(
        "telephony_residuals",
        sa.Column("id", Key, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("visits_in_log", sa.Integer(), nullable=False),
        sa.Column("visits_missing", sa.Integer(), nullable=False),
        sa.Column("visits_extra", sa.Integer(), nullable=False),
        sa.Column("visits_unknown", sa.Integer(), nullable=False),
        sa.Column("visits_wrong", sa.Integer(), nullable=False),
        sa.Column("wait_seconds_differing", sa.Integer(), nullable=False),
        sa.Column("talk_seconds_differing", sa.Integer(), nullable=False),
        sa.Column("reconciled_at", UtcDateTime(), nullable=False),
        *captured_columns(),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_telephony_residuals")),
        sa.UniqueConstraint("day", name=op.f("uq_telephony_residuals_day")),
    )
    for table in CAPTURED:
        op.create_index(op.f(f"ix_{table}_row_version"), table, ["row_version"])
        capture(op.get_bind(), table)


def downgrade() -> None:
    for table in ("telephony_residuals", "agent_endpoints", "queue_routings"):
        op.drop_table(table)

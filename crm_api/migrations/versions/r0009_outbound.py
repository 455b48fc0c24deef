"""Ways through the IVR, calls that the platform makes, the dialler's emergency stop, recordings, residual of calls"""

import sqlalchemy as sa
from alembic import op

from core.database import Key, UtcDateTime
from crm_api.migrations.capture import capture, captured_columns

revision = "0009_outbound"
down_revision = "0008_scores"
branch_labels = None
depends_on = None

CAPTURED = ("ivr_steps", "outbound_calls", "recordings")


def _key(table: str, column: str, target: str, *, nullable: bool = False) -> sa.Column[object]:
    foreign = sa.ForeignKey(f"{target}.id", name=op.f(f"fk_{table}_{column}"))
    return sa.Column(column, Key, foreign, nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "ivr_steps",
        sa.Column("id", Key, nullable=False),
        _key("ivr_steps", "contact_id", "contacts"),
        sa.Column("step_number", sa.Integer(), nullable=False),
        sa.Column("node", sa.String(60), nullable=False),
        sa.Column("choice", sa.String(60), nullable=True),
        sa.Column("occurred_at", UtcDateTime(), nullable=False),
        *captured_columns(),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ivr_steps")),
        sa.UniqueConstraint("contact_id", "step_number", name=op.f("uq_ivr_steps_contact_id_step_number")),
    )
    op.create_table(
        "outbound_calls",
        sa.Column("id", Key, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("mode", sa.String(12), server_default="progressive", nullable=False),
        sa.Column("state", sa.String(12), server_default="waiting", nullable=False),
        sa.Column("origin_id", sa.String(120), nullable=False),
        sa.Column("number", sa.String(40), nullable=False),
        _key("outbound_calls", "customer_id", "customers", nullable=True),
        _key("outbound_calls", "ticket_id", "tickets", nullable=True),
        _key("outbound_calls", "queue_id", "queues", nullable=True),
        sa.Column("username", sa.String(60), nullable=True),
        sa.Column("kept_since", UtcDateTime(), nullable=True),
        sa.Column("due_at", UtcDateTime(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("disposition", sa.String(12), nullable=True),
        sa.Column("refused_because", sa.String(40), nullable=True),
        sa.Column("external_id", sa.String(120), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("dialled_at", UtcDateTime(), nullable=True),
        sa.Column("answered_at", UtcDateTime(), nullable=True),
        sa.Column("connected_at", UtcDateTime(), nullable=True),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        *captured_columns(),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbound_calls")),
        sa.UniqueConstraint("kind", "origin_id", name=op.f("uq_outbound_calls_kind_origin_id")),
        sa.CheckConstraint(
            "kind IN ('queue_callback', 'outage_callback', 'scheduled', 'campaign')",
            name=op.f("ck_outbound_calls_kind_known"),
        ),
        sa.CheckConstraint("mode IN ('progressive', 'preview')", name=op.f("ck_outbound_calls_mode_known")),
        sa.CheckConstraint(
            "state IN ('waiting', 'offered', 'dialling', 'done')", name=op.f("ck_outbound_calls_state_known")
        ),
        sa.CheckConstraint(
            "disposition IN ('connected', 'abandoned', 'no_answer', 'busy', 'failed', 'refused', 'cancelled')",
            name=op.f("ck_outbound_calls_disposition_known"),
        ),
        sa.CheckConstraint(
            "(state = 'done') = (disposition IS NOT NULL)", name=op.f("ck_outbound_calls_done_has_a_disposition")
        ),
        sa.CheckConstraint(
            "ended_at IS NULL OR ended_at >= created_at", name=op.f("ck_outbound_calls_ended_at_not_before_start")
        ),
    )
    op.create_index(op.f("ix_outbound_calls_customer_id"), "outbound_calls", ["customer_id"])
    op.create_index("ix_outbound_calls_state_due_at", "outbound_calls", ["state", "due_at"])
    op.create_index("ix_outbound_calls_dialled_at", "outbound_calls", ["dialled_at"])
    op.create_table(
        "dialler_switch",
        sa.Column("id", Key, nullable=False),
        sa.Column("stopped_at", UtcDateTime(), nullable=True),
        sa.Column("stopped_by", sa.String(60), nullable=True),
        sa.Column("reason", sa.String(300), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dialler_switch")),
    )
    op.create_table(
        "recordings",
        sa.Column("id", Key, nullable=False),
        _key("recordings", "contact_id", "contacts"),
        sa.Column("file", sa.String(200), nullable=False),
        sa.Column("is_encrypted", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("bytes", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("kept_until", UtcDateTime(), nullable=True),
        sa.Column("rule", sa.String(40), nullable=False),
        sa.Column("purged_at", UtcDateTime(), nullable=True),
        *captured_columns(),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recordings")),
        sa.UniqueConstraint("file", name=op.f("uq_recordings_file")),
    )
    op.create_index(op.f("ix_recordings_contact_id"), "recordings", ["contact_id"])
    for table in CAPTURED:
        op.create_index(op.f(f"ix_{table}_row_version"), table, ["row_version"])
        capture(op.get_bind(), table)
    for column in ("calls_in_log", "calls_differing"):
        op.add_column("telephony_residuals", sa.Column(column, sa.Integer(), server_default="0", nullable=False))


def downgrade() -> None:
    for column in ("calls_differing", "calls_in_log"):
        op.drop_column("telephony_residuals", column)
    for table in ("recordings", "dialler_switch", "outbound_calls", "ivr_steps"):
        op.drop_table(table)

"""The closed loop: processes, running work, nested assignments, service levels, the live bus"""

import sqlalchemy as sa
from alembic import op

from core.database import UtcDateTime
from crm_api.migrations.capture import capture, captured_columns

revision = "0003_loop"
down_revision = "0002_store_identity"
branch_labels = None
depends_on = None

CAPTURED = ("ticket_assignments", "escalations")

_STATES = "state IN ('new', 'dispatched', 'accepted', 'in_progress', 'pending', 'returned', 'resolved', 'in_review', 'follow_up', 'closed', 'cancelled')"
_KINDS = "kind IN ('created', 'dispatched', 'accepted', 'started', 'pended', 'resumed', 'returned', 'resolved', 'review_started', 'rejected', 'approved', 'closed', 'cancelled', 'reopened', 'updated', 'responded', 'sub_dispatched', 'sub_returned')"
_ROLES = "actor_role IN ('agent', 'dispatcher', 'reviewer', 'supervisor', 'branch_handler', 'branch_lead', 'branch_manager', 'analyst', 'manager', 'marketing', 'administrator', 'system', 'foreign')"
_OPEN = sa.text("state NOT IN ('closed', 'cancelled')")

# What history says stays said; what was imported may be imported anew, and tombstones and versions are not content.
_APPEND_ONLY_SQLITE = (
    """
CREATE TRIGGER ticket_events_append_only
BEFORE UPDATE OF id, ticket_id, event_number, kind, from_state, to_state, occurred_at, actor_role, actor, unit_id, reason
ON ticket_events WHEN OLD.actor_role <> 'foreign'
BEGIN
  SELECT RAISE(ABORT, 'the history of a ticket is append-only: ticket_events are not changed');
END""",
    """
CREATE TRIGGER ticket_event_details_append_only BEFORE UPDATE ON ticket_event_details
BEGIN
  SELECT RAISE(ABORT, 'the history of a ticket is append-only: ticket_event_details are not changed');
END""",
    """
CREATE TRIGGER ticket_event_details_no_delete BEFORE DELETE ON ticket_event_details
BEGIN
  SELECT RAISE(ABORT, 'the history of a ticket is append-only: ticket_event_details are not deleted');
END""",
)
_APPEND_ONLY_POSTGRESQL = (
    """
CREATE FUNCTION crm_refuse_history_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the history of a ticket is append-only: %% are not changed', TG_TABLE_NAME;
END $$""",
    """
CREATE TRIGGER ticket_events_append_only
BEFORE UPDATE OF id, ticket_id, event_number, kind, from_state, to_state, occurred_at, actor_role, actor, unit_id, reason
ON ticket_events FOR EACH ROW WHEN (OLD.actor_role <> 'foreign') EXECUTE FUNCTION crm_refuse_history_change()""",
    """
CREATE TRIGGER ticket_event_details_append_only BEFORE UPDATE OR DELETE ON ticket_event_details
FOR EACH ROW EXECUTE FUNCTION crm_refuse_history_change()""",
)


def _event_columns():
    return [
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("ticket_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("event_number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("from_state", sa.String(length=12), nullable=True),
        sa.Column("to_state", sa.String(length=12), nullable=False),
        sa.Column("occurred_at", UtcDateTime(), nullable=False),
        sa.Column("actor_role", sa.String(length=16), nullable=False),
        sa.Column("actor", sa.String(length=60), nullable=True),
        sa.Column("unit_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("reason", sa.String(length=300), nullable=True),
        *captured_columns(),
    ]


def _widen_events_sqlite():
    """SQLite cannot change a check: the table is made anew and its rows, with their versions, move over."""
    op.create_table(
        "ticket_events_new",
        *_event_columns(),
        sa.CheckConstraint(_ROLES, name=op.f("ck_ticket_events_actor_role_known")),
        sa.CheckConstraint(f"from_{_STATES}", name=op.f("ck_ticket_events_from_state_known")),
        sa.CheckConstraint(_KINDS, name=op.f("ck_ticket_events_kind_known")),
        sa.CheckConstraint(f"to_{_STATES}", name=op.f("ck_ticket_events_to_state_known")),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_ticket_events_ticket_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["org_units.id"], name=op.f("fk_ticket_events_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket_events")),
        sa.UniqueConstraint("ticket_id", "event_number", name=op.f("uq_ticket_events_ticket_id_event_number")),
    )
    op.execute("INSERT INTO ticket_events_new SELECT * FROM ticket_events")
    op.drop_table("ticket_events")
    op.rename_table("ticket_events_new", "ticket_events")
    op.create_index(op.f("ix_ticket_events_row_version"), "ticket_events", ["row_version"], unique=False)
    capture(op.get_bind(), "ticket_events")


def _widen_events():
    if op.get_bind().dialect.name == "sqlite":
        _widen_events_sqlite()
        return
    for name, condition in (("actor_role_known", _ROLES), ("kind_known", _KINDS)):
        op.drop_constraint(op.f(f"ck_ticket_events_{name}"), "ticket_events")
        op.create_check_constraint(op.f(f"ck_ticket_events_{name}"), "ticket_events", condition)


def _protect_history():
    postgresql = op.get_bind().dialect.name == "postgresql"
    for statement in _APPEND_ONLY_POSTGRESQL if postgresql else _APPEND_ONLY_SQLITE:
        op.get_bind().exec_driver_sql(statement)


def upgrade() -> None:
    _widen_events()
    op.create_index(
        "ix_tickets_open", "tickets", ["state", "unit_id"], unique=False, sqlite_where=_OPEN, postgresql_where=_OPEN
    )
    op.create_index("ix_ticket_events_kind_occurred_at", "ticket_events", ["kind", "occurred_at"], unique=False)
    op.create_table(
        "creation_keys",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("username", sa.String(length=60), nullable=False),
        sa.Column("operation", sa.String(length=60), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("request_digest", sa.String(length=64), nullable=False),
        sa.Column("row_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_creation_keys")),
        sa.UniqueConstraint("username", "operation", "key", name=op.f("uq_creation_keys_username_operation_key")),
    )
    op.create_index(op.f("ix_creation_keys_created_at"), "creation_keys", ["created_at"], unique=False)
    op.create_table(
        "escalation_steps",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("percent", sa.Integer(), nullable=False),
        sa.Column("recipient", sa.String(length=16), nullable=False),
        sa.CheckConstraint(
            "recipient IN ('handler', 'manager', 'branch_handler', 'branch_lead', 'branch_manager', 'dispatcher', 'reviewer', 'supervisor')",
            name=op.f("ck_escalation_steps_recipient_known"),
        ),
        sa.CheckConstraint("percent > 0", name=op.f("ck_escalation_steps_percent_positive")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_escalation_steps")),
        sa.UniqueConstraint("percent", "recipient", name=op.f("uq_escalation_steps_percent_recipient")),
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("topic", sa.String(length=60), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_outbox_created_at", "outbox", ["created_at"], unique=False)
    op.create_table(
        "processes",
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name_zh", sa.String(length=80), nullable=False),
        sa.Column("name_en", sa.String(length=80), nullable=False),
        sa.Column("service_type_codes", sa.JSON(), nullable=False),
        sa.Column("sort_order", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_processes")),
    )
    op.create_table(
        "sla_changes",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("code", sa.String(length=60), nullable=True),
        sa.Column("changed_by", sa.String(length=60), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.Column(
            "last_ticket_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), server_default="0", nullable=False
        ),
        sa.Column("done_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("kind IN ('calendar', 'policies')", name=op.f("ck_sla_changes_kind_known")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sla_changes")),
    )
    op.create_table(
        "process_versions",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("process_code", sa.String(length=40), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=8), nullable=False),
        sa.Column("definition", sa.JSON(), nullable=False),
        sa.Column("created_by", sa.String(length=60), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("activated_at", UtcDateTime(), nullable=True),
        sa.Column("note", sa.String(length=300), nullable=True),
        sa.CheckConstraint("status IN ('draft', 'active', 'retired')", name=op.f("ck_process_versions_status_known")),
        sa.ForeignKeyConstraint(["process_code"], ["processes.code"], name=op.f("fk_process_versions_process_code")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_process_versions")),
        sa.UniqueConstraint("process_code", "number", name=op.f("uq_process_versions_process_code_number")),
    )
    op.create_index(
        "uq_process_versions_one_active",
        "process_versions",
        ["process_code"],
        unique=True,
        sqlite_where=sa.text("status = 'active'"),
        postgresql_where=sa.text("status = 'active'"),
    )
    op.create_table(
        "sla_policies",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("code", sa.String(length=60), nullable=False),
        sa.Column("name_zh", sa.String(length=80), nullable=False),
        sa.Column("name_en", sa.String(length=80), nullable=False),
        sa.Column("sort_order", sa.Integer(), nullable=False),
        sa.Column("is_active", sa.Boolean(), server_default="1", nullable=False),
        sa.Column("service_type_code", sa.String(length=60), nullable=True),
        sa.Column("complaint_type_code", sa.String(length=80), nullable=True),
        sa.Column("product_code", sa.String(length=40), nullable=True),
        sa.Column("channel_code", sa.String(length=40), nullable=True),
        sa.Column("priority", sa.String(length=8), nullable=True),
        sa.Column("is_key_customer", sa.Boolean(), nullable=True),
        sa.Column("unit_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("calendar_code", sa.String(length=40), nullable=False),
        sa.Column("first_response_seconds", sa.Integer(), nullable=True),
        sa.Column("resolution_seconds", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "priority IN ('low', 'normal', 'high', 'urgent')", name=op.f("ck_sla_policies_priority_known")
        ),
        sa.CheckConstraint("first_response_seconds > 0", name=op.f("ck_sla_policies_first_response_positive")),
        sa.CheckConstraint("resolution_seconds > 0", name=op.f("ck_sla_policies_resolution_positive")),
        sa.ForeignKeyConstraint(["calendar_code"], ["calendars.code"], name=op.f("fk_sla_policies_calendar_code")),
        sa.ForeignKeyConstraint(["channel_code"], ["channels.code"], name=op.f("fk_sla_policies_channel_code")),
        sa.ForeignKeyConstraint(
            ["complaint_type_code"], ["complaint_types.code"], name=op.f("fk_sla_policies_complaint_type_code")
        ),
        sa.ForeignKeyConstraint(["product_code"], ["products.code"], name=op.f("fk_sla_policies_product_code")),
        sa.ForeignKeyConstraint(
            ["service_type_code"], ["service_types.code"], name=op.f("fk_sla_policies_service_type_code")
        ),
        sa.ForeignKeyConstraint(["unit_id"], ["org_units.id"], name=op.f("fk_sla_policies_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sla_policies")),
        sa.UniqueConstraint("code", name=op.f("uq_sla_policies_code")),
        sa.UniqueConstraint("sort_order", name=op.f("uq_sla_policies_sort_order")),
    )
    op.create_table(
        "ticket_templates",
        sa.Column("code", sa.String(length=60), nullable=False),
        sa.Column("name_zh", sa.String(length=80), nullable=False),
        sa.Column("name_en", sa.String(length=80), nullable=False),
        sa.Column("service_type_code", sa.String(length=60), nullable=False),
        sa.Column("values", sa.JSON(), nullable=False),
        sa.Column("checklist", sa.JSON(), nullable=False),
        sa.Column("sort_order", sa.Integer(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(
            ["service_type_code"], ["service_types.code"], name=op.f("fk_ticket_templates_service_type_code")
        ),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_ticket_templates")),
    )
    op.create_index(
        op.f("ix_ticket_templates_service_type_code"), "ticket_templates", ["service_type_code"], unique=False
    )
    op.create_table(
        "bulk_actions",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("action", sa.String(length=30), nullable=False),
        sa.Column("parameters", sa.JSON(), nullable=False),
        sa.Column("status", sa.String(length=8), nullable=False),
        sa.Column("parent_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("created_by", sa.String(length=60), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("done_at", UtcDateTime(), nullable=True),
        sa.Column("undone_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("status IN ('proposed', 'done', 'undone')", name=op.f("ck_bulk_actions_status_known")),
        sa.ForeignKeyConstraint(["parent_id"], ["tickets.id"], name=op.f("fk_bulk_actions_parent_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bulk_actions")),
    )
    op.create_table(
        "escalations",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("ticket_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("clock", sa.String(length=16), nullable=False),
        sa.Column("percent", sa.Integer(), nullable=False),
        sa.Column("reached_at", UtcDateTime(), nullable=False),
        sa.Column("fired_at", UtcDateTime(), nullable=False),
        sa.Column("target_seconds", sa.Integer(), nullable=False),
        *captured_columns(),
        sa.CheckConstraint("clock IN ('first_response', 'resolution')", name=op.f("ck_escalations_clock_known")),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_escalations_ticket_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_escalations")),
        sa.UniqueConstraint("ticket_id", "clock", "percent", name=op.f("uq_escalations_ticket_id_clock_percent")),
    )
    op.create_index(op.f("ix_escalations_row_version"), "escalations", ["row_version"], unique=False)
    op.create_table(
        "follow_up_calls",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("ticket_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("attempt_number", sa.Integer(), nullable=False),
        sa.Column("called_at", UtcDateTime(), nullable=False),
        sa.Column("caller", sa.String(length=60), nullable=False),
        sa.Column("outcome", sa.String(length=12), nullable=False),
        sa.Column("score", sa.Integer(), nullable=True),
        sa.Column("note", sa.String(length=300), nullable=True),
        sa.CheckConstraint(
            "outcome IN ('satisfied', 'dissatisfied', 'no_answer', 'refused', 'wrong_number')",
            name=op.f("ck_follow_up_calls_outcome_known"),
        ),
        sa.CheckConstraint("score BETWEEN 1 AND 5", name=op.f("ck_follow_up_calls_score_1_to_5")),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_follow_up_calls_ticket_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_follow_up_calls")),
        sa.UniqueConstraint("ticket_id", "attempt_number", name=op.f("uq_follow_up_calls_ticket_id_attempt_number")),
    )
    op.create_table(
        "notifications",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("username", sa.String(length=60), nullable=True),
        sa.Column("role", sa.String(length=16), nullable=True),
        sa.Column("unit_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("ticket_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("text_zh", sa.String(length=300), nullable=False),
        sa.Column("text_en", sa.String(length=300), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("read_at", UtcDateTime(), nullable=True),
        sa.Column("read_by", sa.String(length=60), nullable=True),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_notifications_ticket_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["org_units.id"], name=op.f("fk_notifications_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notifications")),
    )
    op.create_index("ix_notifications_role_unit_id", "notifications", ["role", "unit_id", "id"], unique=False)
    op.create_index(op.f("ix_notifications_ticket_id"), "notifications", ["ticket_id"], unique=False)
    op.create_index("ix_notifications_username", "notifications", ["username", "id"], unique=False)
    op.create_table(
        "ticket_assignments",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("ticket_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("unit_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("sent_by", sa.String(length=60), nullable=False),
        sa.Column("sent_at", UtcDateTime(), nullable=False),
        sa.Column("returned_by", sa.String(length=60), nullable=True),
        sa.Column("returned_at", UtcDateTime(), nullable=True),
        *captured_columns(),
        sa.CheckConstraint(
            "returned_at IS NULL OR returned_at >= sent_at",
            name=op.f("ck_ticket_assignments_returned_at_not_before_start"),
        ),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_ticket_assignments_ticket_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["org_units.id"], name=op.f("fk_ticket_assignments_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket_assignments")),
    )
    op.create_index(op.f("ix_ticket_assignments_row_version"), "ticket_assignments", ["row_version"], unique=False)
    op.create_index(op.f("ix_ticket_assignments_ticket_id"), "ticket_assignments", ["ticket_id"], unique=False)
    op.create_index(op.f("ix_ticket_assignments_unit_id"), "ticket_assignments", ["unit_id"], unique=False)
    op.create_index(
        "uq_ticket_assignments_one_open",
        "ticket_assignments",
        ["ticket_id", "unit_id"],
        unique=True,
        sqlite_where=sa.text("returned_at IS NULL"),
        postgresql_where=sa.text("returned_at IS NULL"),
    )
    op.create_table(
        "ticket_checklist_items",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("ticket_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("text_zh", sa.String(length=200), nullable=False),
        sa.Column("text_en", sa.String(length=200), nullable=False),
        sa.Column("is_required", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("done_by", sa.String(length=60), nullable=True),
        sa.Column("done_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_ticket_checklist_items_ticket_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket_checklist_items")),
        sa.UniqueConstraint("ticket_id", "code", name=op.f("uq_ticket_checklist_items_ticket_id_code")),
    )
    op.create_table(
        "ticket_comments",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("ticket_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("audience", sa.String(length=8), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("author", sa.String(length=60), nullable=False),
        sa.Column("unit_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("audience IN ('internal', 'customer')", name=op.f("ck_ticket_comments_audience_known")),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_ticket_comments_ticket_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["org_units.id"], name=op.f("fk_ticket_comments_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket_comments")),
    )
    op.create_index("ix_ticket_comments_ticket_id", "ticket_comments", ["ticket_id", "id"], unique=False)
    op.create_table(
        "ticket_links",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("ticket_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("other_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("created_by", sa.String(length=60), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("kind IN ('related', 'duplicate', 'caused_by')", name=op.f("ck_ticket_links_kind_known")),
        sa.CheckConstraint("ticket_id <> other_id", name=op.f("ck_ticket_links_not_itself")),
        sa.ForeignKeyConstraint(["other_id"], ["tickets.id"], name=op.f("fk_ticket_links_other_id")),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_ticket_links_ticket_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket_links")),
        sa.UniqueConstraint("ticket_id", "other_id", "kind", name=op.f("uq_ticket_links_ticket_id_other_id_kind")),
    )
    op.create_index(op.f("ix_ticket_links_other_id"), "ticket_links", ["other_id"], unique=False)
    op.create_table(
        "ticket_work",
        sa.Column(
            "ticket_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("process_version_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("handler", sa.String(length=60), nullable=True),
        sa.Column("state_since", UtcDateTime(), nullable=False),
        sa.Column("resolution", sa.Text(), nullable=True),
        sa.Column("pending_reason", sa.String(length=12), nullable=True),
        sa.Column("pending_until", UtcDateTime(), nullable=True),
        sa.Column("clocks", sa.JSON(), nullable=False),
        sa.Column("at_risk_at", UtcDateTime(), nullable=True),
        sa.Column("next_step_at", UtcDateTime(), nullable=True),
        sa.Column("follow_up_at", UtcDateTime(), nullable=True),
        sa.Column("claimed_by", sa.String(length=60), nullable=True),
        sa.Column("claimed_until", UtcDateTime(), nullable=True),
        sa.CheckConstraint(
            "pending_reason IN ('customer', 'part', 'weather', 'third_party', 'other')",
            name=op.f("ck_ticket_work_pending_reason_known"),
        ),
        sa.ForeignKeyConstraint(
            ["process_version_id"], ["process_versions.id"], name=op.f("fk_ticket_work_process_version_id")
        ),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_ticket_work_ticket_id")),
        sa.PrimaryKeyConstraint("ticket_id", name=op.f("pk_ticket_work")),
    )
    op.create_index("ix_ticket_work_handler", "ticket_work", ["handler"], unique=False)
    op.create_index("ix_ticket_work_next_step_at", "ticket_work", ["next_step_at"], unique=False)
    op.create_index(
        "ix_ticket_work_pending_until",
        "ticket_work",
        ["pending_until"],
        unique=False,
        sqlite_where=sa.text("pending_until IS NOT NULL"),
        postgresql_where=sa.text("pending_until IS NOT NULL"),
    )
    op.create_table(
        "bulk_items",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("bulk_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("ticket_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("event_number", sa.Integer(), nullable=True),
        sa.Column("undo_number", sa.Integer(), nullable=True),
        sa.Column("refusal", sa.String(length=300), nullable=True),
        sa.ForeignKeyConstraint(["bulk_id"], ["bulk_actions.id"], name=op.f("fk_bulk_items_bulk_id")),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_bulk_items_ticket_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bulk_items")),
        sa.UniqueConstraint("bulk_id", "ticket_id", name=op.f("uq_bulk_items_bulk_id_ticket_id")),
    )
    op.create_table(
        "ticket_event_details",
        sa.Column(
            "event_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("action", sa.String(length=30), nullable=False),
        sa.Column("changes", sa.JSON(), nullable=False),
        sa.Column("clocks", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["event_id"], ["ticket_events.id"], name=op.f("fk_ticket_event_details_event_id")),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_ticket_event_details")),
    )

    for table in CAPTURED:
        capture(op.get_bind(), table)
    _protect_history()


def downgrade() -> None:
    raise NotImplementedError("The loop is not undone: restore a backup.")

"""Campaigns with offers and branches, call lists with entries and attempts, the jobs that build them"""

import sqlalchemy as sa
from alembic import op

from core.database import Key, UtcDateTime
from crm_api.migrations.capture import capture, captured_columns

revision = "0010_campaigns"
down_revision = "0009_outbound"
branch_labels = None
depends_on = None

CAPTURED = (
    "campaigns",
    "offers",
    "campaign_offers",
    "campaign_units",
    "list_gates",
    "call_list_entries",
    "call_attempts",
)


def upgrade() -> None:
    op.create_table(
        "list_assessments",
        sa.Column("campaign_id", Key, autoincrement=False, nullable=False),
        sa.Column("customer_id", Key, autoincrement=False, nullable=False),
        sa.Column("gate", sa.String(20), nullable=False),
        sa.PrimaryKeyConstraint("campaign_id", "customer_id", name=op.f("pk_list_assessments")),
    )
    op.create_table(
        "outbound_capacity",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.Column("told_by", sa.String(60), nullable=False),
        sa.CheckConstraint("calls >= 0", name=op.f("ck_outbound_capacity_calls_not_negative")),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_outbound_capacity")),
    )
    op.create_table(
        "campaigns",
        sa.Column("id", Key, nullable=False),
        sa.Column("code", sa.String(40), nullable=False),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("purpose", sa.String(20), nullable=False),
        sa.Column("goal", sa.String(12), nullable=False),
        sa.Column("state", sa.String(12), server_default="draft", nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("unit_id", Key, nullable=False),
        sa.Column("audience_kind", sa.String(12), server_default="any", nullable=False),
        sa.Column("segments", sa.String(200), server_default="", nullable=False),
        sa.Column("score_model", sa.String(40), nullable=True),
        sa.Column("min_percentile", sa.Integer(), server_default="0", nullable=False),
        sa.Column("includes_key_customers", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("opens_second", sa.Integer(), server_default="32400", nullable=False),
        sa.Column("closes_second", sa.Integer(), server_default="72000", nullable=False),
        sa.Column("holdout_percent", sa.Integer(), server_default="10", nullable=False),
        sa.Column("max_attempts", sa.Integer(), server_default="3", nullable=False),
        sa.Column("retry_minutes", sa.Integer(), server_default="240", nullable=False),
        sa.Column("cap_contacts", sa.Integer(), server_default="2", nullable=False),
        sa.Column("cap_days", sa.Integer(), server_default="30", nullable=False),
        sa.Column("cooling_days", sa.Integer(), server_default="90", nullable=False),
        sa.Column("window_days", sa.Integer(), server_default="30", nullable=False),
        sa.Column("cost_per_call_fen", sa.Integer(), server_default="300", nullable=False),
        sa.Column("script", sa.Text(), server_default="", nullable=False),
        sa.Column("created_by", sa.String(60), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("reviewed_by", sa.String(60), nullable=True),
        sa.Column("approved_by", sa.String(60), nullable=True),
        sa.Column("approved_at", UtcDateTime(), nullable=True),
        sa.Column("finished_at", UtcDateTime(), nullable=True),
        *captured_columns(),
        sa.CheckConstraint(
            "audience_kind IN ('any', 'person', 'organisation')", name=op.f("ck_campaigns_audience_kind_known")
        ),
        sa.CheckConstraint("goal IN ('subscribe', 'stay')", name=op.f("ck_campaigns_goal_known")),
        sa.CheckConstraint(
            "purpose IN ('service', 'marketing', 'survey', 'profiling')", name=op.f("ck_campaigns_purpose_known")
        ),
        sa.CheckConstraint(
            "state IN ('draft', 'built', 'reviewed', 'approved', 'running', 'finished')",
            name=op.f("ck_campaigns_state_known"),
        ),
        sa.CheckConstraint(
            "cap_contacts >= 1 AND cap_days >= 0 AND cooling_days >= 0", name=op.f("ck_campaigns_cap_sane")
        ),
        sa.CheckConstraint(
            "ends_on IS NULL OR ends_on >= starts_on", name=op.f("ck_campaigns_ends_on_not_before_start")
        ),
        sa.CheckConstraint("holdout_percent BETWEEN 0 AND 50", name=op.f("ck_campaigns_holdout_sane")),
        sa.CheckConstraint("max_attempts BETWEEN 1 AND 10", name=op.f("ck_campaigns_attempts_sane")),
        sa.CheckConstraint("min_percentile BETWEEN 0 AND 100", name=op.f("ck_campaigns_percentile_known")),
        sa.CheckConstraint("opens_second < closes_second", name=op.f("ck_campaigns_opens_before_it_closes")),
        sa.CheckConstraint("opens_second >= 28800 AND closes_second <= 75600", name=op.f("ck_campaigns_decent_hours")),
        sa.ForeignKeyConstraint(["unit_id"], ["org_units.id"], name=op.f("fk_campaigns_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaigns")),
        sa.UniqueConstraint("code", name=op.f("uq_campaigns_code")),
    )
    op.create_index(op.f("ix_campaigns_row_version"), "campaigns", ["row_version"], unique=False)
    op.create_table(
        "offers",
        sa.Column("code", sa.String(40), nullable=False),
        sa.Column("name_zh", sa.String(80), nullable=False),
        sa.Column("name_en", sa.String(80), nullable=False),
        sa.Column("product_code", sa.String(40), nullable=True),
        sa.Column("margin_fen", sa.BigInteger(), nullable=False),
        sa.Column("requires_product", sa.String(40), nullable=True),
        sa.Column("excludes_product", sa.String(40), nullable=True),
        sa.Column("is_active", sa.Boolean(), server_default="1", nullable=False),
        *captured_columns(),
        sa.CheckConstraint("margin_fen >= 0", name=op.f("ck_offers_margin_not_negative")),
        sa.ForeignKeyConstraint(["excludes_product"], ["products.code"], name=op.f("fk_offers_excludes_product")),
        sa.ForeignKeyConstraint(["product_code"], ["products.code"], name=op.f("fk_offers_product_code")),
        sa.ForeignKeyConstraint(["requires_product"], ["products.code"], name=op.f("fk_offers_requires_product")),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_offers")),
    )
    op.create_index(op.f("ix_offers_row_version"), "offers", ["row_version"], unique=False)
    op.create_table(
        "campaign_offers",
        sa.Column("id", Key, nullable=False),
        sa.Column("campaign_id", Key, nullable=False),
        sa.Column("offer_code", sa.String(40), nullable=False),
        sa.Column("score_model", sa.String(40), nullable=True),
        sa.Column("assumed_rate", sa.Double(), server_default="0.05", nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=True),
        *captured_columns(),
        sa.CheckConstraint("assumed_rate BETWEEN 0 AND 1", name=op.f("ck_campaign_offers_rate_known")),
        sa.CheckConstraint("capacity >= 0", name=op.f("ck_campaign_offers_capacity_not_negative")),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name=op.f("fk_campaign_offers_campaign_id")),
        sa.ForeignKeyConstraint(["offer_code"], ["offers.code"], name=op.f("fk_campaign_offers_offer_code")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaign_offers")),
        sa.UniqueConstraint("campaign_id", "offer_code", name=op.f("uq_campaign_offers_campaign_id_offer_code")),
    )
    op.create_index(op.f("ix_campaign_offers_row_version"), "campaign_offers", ["row_version"], unique=False)
    op.create_table(
        "campaign_units",
        sa.Column("id", Key, nullable=False),
        sa.Column("campaign_id", Key, nullable=False),
        sa.Column("unit_id", Key, nullable=False),
        sa.Column("calls_per_day", sa.Integer(), nullable=False),
        *captured_columns(),
        sa.CheckConstraint("calls_per_day >= 0", name=op.f("ck_campaign_units_calls_not_negative")),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name=op.f("fk_campaign_units_campaign_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["org_units.id"], name=op.f("fk_campaign_units_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaign_units")),
        sa.UniqueConstraint("campaign_id", "unit_id", name=op.f("uq_campaign_units_campaign_id_unit_id")),
    )
    op.create_index(op.f("ix_campaign_units_row_version"), "campaign_units", ["row_version"], unique=False)
    op.create_index(op.f("ix_campaign_units_unit_id"), "campaign_units", ["unit_id"], unique=False)
    op.create_table(
        "list_builds",
        sa.Column("id", Key, nullable=False),
        sa.Column("campaign_id", Key, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(12), server_default="waiting", nullable=False),
        sa.Column("requested_by", sa.String(60), nullable=False),
        sa.Column("requested_at", UtcDateTime(), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=True),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("candidates", sa.Integer(), nullable=True),
        sa.Column("listed", sa.Integer(), nullable=True),
        sa.Column("held_out", sa.Integer(), nullable=True),
        sa.Column("value_fen", sa.BigInteger(), nullable=True),
        sa.Column("solver", sa.String(20), nullable=True),
        sa.Column("gap", sa.Double(), nullable=True),
        sa.Column("failure", sa.String(300), nullable=True),
        sa.CheckConstraint(
            "state IN ('waiting', 'running', 'done', 'failed')", name=op.f("ck_list_builds_state_known")
        ),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name=op.f("fk_list_builds_campaign_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_list_builds")),
    )
    op.create_index(op.f("ix_list_builds_campaign_id"), "list_builds", ["campaign_id"], unique=False)
    op.create_index("ix_list_builds_state", "list_builds", ["state"], unique=False)
    op.create_table(
        "list_gates",
        sa.Column("id", Key, nullable=False),
        sa.Column("campaign_id", Key, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("gate", sa.String(20), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("customers", sa.Integer(), nullable=False),
        *captured_columns(),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name=op.f("fk_list_gates_campaign_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_list_gates")),
        sa.UniqueConstraint("campaign_id", "version", "gate", name=op.f("uq_list_gates_campaign_id_version_gate")),
    )
    op.create_index(op.f("ix_list_gates_row_version"), "list_gates", ["row_version"], unique=False)
    op.create_table(
        "call_list_entries",
        sa.Column("id", Key, nullable=False),
        sa.Column("campaign_id", Key, nullable=False),
        sa.Column("customer_id", Key, nullable=False),
        sa.Column("phone_id", Key, nullable=False),
        sa.Column("unit_id", Key, nullable=False),
        sa.Column("offer_code", sa.String(40), nullable=False),
        sa.Column("arm", sa.String(8), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("planned_on", sa.Date(), nullable=False),
        sa.Column("score", sa.Double(), nullable=False),
        sa.Column("value_fen", sa.BigInteger(), nullable=False),
        sa.Column("listed_at", UtcDateTime(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("next_attempt_at", UtcDateTime(), nullable=True),
        sa.Column("reserved_by", sa.String(60), nullable=True),
        sa.Column("reserved_until", UtcDateTime(), nullable=True),
        sa.Column("outcome", sa.String(16), nullable=True),
        sa.Column("stop_reason", sa.String(20), nullable=True),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        *captured_columns(),
        sa.CheckConstraint(
            "(arm = 'holdout') = (state = 'held')", name=op.f("ck_call_list_entries_the_holdout_is_never_called")
        ),
        sa.CheckConstraint("arm = 'call' OR attempts = 0", name=op.f("ck_call_list_entries_no_attempt_on_the_holdout")),
        sa.CheckConstraint("arm IN ('call', 'holdout')", name=op.f("ck_call_list_entries_arm_known")),
        sa.CheckConstraint(
            "outcome IN ('accepted', 'refused', 'undecided', 'callback', 'do_not_call', 'wrong_number', 'no_answer', 'busy', 'abandoned', 'failed')",
            name=op.f("ck_call_list_entries_outcome_known"),
        ),
        sa.CheckConstraint(
            "state IN ('waiting', 'reserved', 'done', 'stopped', 'removed', 'held')",
            name=op.f("ck_call_list_entries_state_known"),
        ),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name=op.f("fk_call_list_entries_campaign_id")),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=op.f("fk_call_list_entries_customer_id")),
        sa.ForeignKeyConstraint(["offer_code"], ["offers.code"], name=op.f("fk_call_list_entries_offer_code")),
        sa.ForeignKeyConstraint(["phone_id"], ["customer_phones.id"], name=op.f("fk_call_list_entries_phone_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["org_units.id"], name=op.f("fk_call_list_entries_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_call_list_entries")),
        sa.UniqueConstraint("campaign_id", "customer_id", name=op.f("uq_call_list_entries_campaign_id_customer_id")),
    )
    op.create_index(
        "ix_call_list_entries_campaign_id_state",
        "call_list_entries",
        ["campaign_id", "state", "planned_on", "rank"],
        unique=False,
    )
    op.create_index(op.f("ix_call_list_entries_customer_id"), "call_list_entries", ["customer_id"], unique=False)
    op.create_index(op.f("ix_call_list_entries_phone_id"), "call_list_entries", ["phone_id"], unique=False)
    op.create_index(op.f("ix_call_list_entries_row_version"), "call_list_entries", ["row_version"], unique=False)
    op.create_table(
        "call_attempts",
        sa.Column("id", Key, nullable=False),
        sa.Column("entry_id", Key, nullable=False),
        sa.Column("campaign_id", Key, nullable=False),
        sa.Column("customer_id", Key, nullable=False),
        sa.Column("external_id", sa.String(120), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("talk_seconds", sa.Integer(), nullable=True),
        sa.Column("username", sa.String(60), nullable=False),
        sa.Column("contact_id", Key, nullable=True),
        sa.Column("note", sa.String(300), nullable=True),
        *captured_columns(),
        sa.CheckConstraint(
            "outcome IN ('accepted', 'refused', 'undecided', 'callback', 'do_not_call', 'wrong_number', 'no_answer', 'busy', 'abandoned', 'failed')",
            name=op.f("ck_call_attempts_outcome_known"),
        ),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name=op.f("fk_call_attempts_campaign_id")),
        sa.ForeignKeyConstraint(["contact_id"], ["contacts.id"], name=op.f("fk_call_attempts_contact_id")),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=op.f("fk_call_attempts_customer_id")),
        sa.ForeignKeyConstraint(["entry_id"], ["call_list_entries.id"], name=op.f("fk_call_attempts_entry_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_call_attempts")),
        sa.UniqueConstraint("entry_id", "external_id", name=op.f("uq_call_attempts_entry_id_external_id")),
    )
    op.create_index(op.f("ix_call_attempts_campaign_id"), "call_attempts", ["campaign_id"], unique=False)
    op.create_index("ix_call_attempts_customer_id_at", "call_attempts", ["customer_id", "at"], unique=False)
    op.create_index(op.f("ix_call_attempts_row_version"), "call_attempts", ["row_version"], unique=False)
    for table in CAPTURED:
        capture(op.get_bind(), table)


def downgrade() -> None:
    for table in (
        "call_attempts",
        "call_list_entries",
        "list_gates",
        "list_builds",
        "campaign_units",
        "campaign_offers",
        "offers",
        "campaigns",
        "outbound_capacity",
        "list_assessments",
    ):
        op.drop_table(table)

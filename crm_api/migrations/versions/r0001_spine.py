"""The spine's tables"""

import sqlalchemy as sa
from alembic import op

from core.database import UtcDateTime
from crm_api.migrations.capture import capture, prepare_capture

revision = "0001_spine"
down_revision = None
branch_labels = None
depends_on = None

CAPTURED = (
    "calendars",
    "channels",
    "complaint_types",
    "org_units",
    "products",
    "service_types",
    "agents",
    "calendar_days",
    "calendar_windows",
    "import_rejects",
    "queues",
    "seats",
    "townships",
    "agent_queues",
    "agent_states",
    "customers",
    "shifts",
    "accounts",
    "consents",
    "contacts",
    "customer_addresses",
    "customer_phones",
    "calls",
    "queue_visits",
    "subscriptions",
    "tickets",
    "call_segments",
    "survey_answers",
    "ticket_events",
)


def upgrade() -> None:
    prepare_capture(op.get_bind())
    op.create_table(
        "calendars",
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name_zh", sa.String(length=80), nullable=False),
        sa.Column("name_en", sa.String(length=80), nullable=False),
        sa.Column("time_zone", sa.String(length=40), server_default="Asia/Shanghai", nullable=False),
        sa.Column("row_version", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_calendars")),
    )
    op.create_index(op.f("ix_calendars_row_version"), "calendars", ["row_version"], unique=False)

    op.create_table(
        "channels",
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name_zh", sa.String(length=80), nullable=False),
        sa.Column("name_en", sa.String(length=80), nullable=False),
        sa.Column("is_written", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("sort_order", sa.Integer(), server_default="0", nullable=False),
        sa.Column("row_version", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_channels")),
    )
    op.create_index(op.f("ix_channels_row_version"), "channels", ["row_version"], unique=False)

    op.create_table(
        "complaint_types",
        sa.Column("code", sa.String(length=80), nullable=False),
        sa.Column("parent_code", sa.String(length=80), nullable=True),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("name_zh", sa.String(length=80), nullable=False),
        sa.Column("name_en", sa.String(length=80), nullable=False),
        sa.Column("sort_order", sa.Integer(), server_default="0", nullable=False),
        sa.Column("row_version", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint(
            "(level = 1) = (parent_code IS NULL)", name=op.f("ck_complaint_types_only_level_1_has_no_parent")
        ),
        sa.CheckConstraint("level BETWEEN 1 AND 3", name=op.f("ck_complaint_types_level_1_to_3")),
        sa.ForeignKeyConstraint(["parent_code"], ["complaint_types.code"], name=op.f("fk_complaint_types_parent_code")),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_complaint_types")),
    )
    op.create_index(op.f("ix_complaint_types_row_version"), "complaint_types", ["row_version"], unique=False)

    op.create_table(
        "org_units",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("parent_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("name_zh", sa.String(length=80), nullable=False),
        sa.Column("name_en", sa.String(length=80), nullable=False),
        sa.Column("area_code", sa.String(length=8), nullable=True),
        sa.Column("sort_order", sa.Integer(), server_default="0", nullable=False),
        sa.Column("row_version", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint(
            "(kind = 'province') = (parent_id IS NULL)", name=op.f("ck_org_units_only_province_has_no_parent")
        ),
        sa.CheckConstraint("kind IN ('province', 'city', 'county')", name=op.f("ck_org_units_kind_known")),
        sa.ForeignKeyConstraint(["parent_id"], ["org_units.id"], name=op.f("fk_org_units_parent_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_org_units")),
        sa.UniqueConstraint("code", name=op.f("uq_org_units_code")),
    )
    op.create_index(op.f("ix_org_units_parent_id"), "org_units", ["parent_id"], unique=False)
    op.create_index(op.f("ix_org_units_row_version"), "org_units", ["row_version"], unique=False)

    op.create_table(
        "products",
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name_zh", sa.String(length=80), nullable=False),
        sa.Column("name_en", sa.String(length=80), nullable=False),
        sa.Column("sort_order", sa.Integer(), server_default="0", nullable=False),
        sa.Column("row_version", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_products")),
    )
    op.create_index(op.f("ix_products_row_version"), "products", ["row_version"], unique=False)

    op.create_table(
        "service_types",
        sa.Column("code", sa.String(length=60), nullable=False),
        sa.Column("parent_code", sa.String(length=60), nullable=True),
        sa.Column("name_zh", sa.String(length=80), nullable=False),
        sa.Column("name_en", sa.String(length=80), nullable=False),
        sa.Column("sort_order", sa.Integer(), server_default="0", nullable=False),
        sa.Column("row_version", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["parent_code"], ["service_types.code"], name=op.f("fk_service_types_parent_code")),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_service_types")),
    )
    op.create_index(op.f("ix_service_types_row_version"), "service_types", ["row_version"], unique=False)

    op.create_table(
        "agents",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("code", sa.String(length=60), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("unit_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("hired_on", sa.Date(), nullable=True),
        sa.Column("left_on", sa.Date(), nullable=True),
        sa.Column("row_version", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("left_on IS NULL OR left_on >= hired_on", name=op.f("ck_agents_left_on_not_before_start")),
        sa.ForeignKeyConstraint(["unit_id"], ["org_units.id"], name=op.f("fk_agents_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agents")),
        sa.UniqueConstraint("code", name=op.f("uq_agents_code")),
    )
    op.create_index(op.f("ix_agents_row_version"), "agents", ["row_version"], unique=False)

    op.create_table(
        "calendar_days",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("calendar_code", sa.String(length=40), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("day_kind", sa.String(length=12), nullable=False),
        sa.Column("follows_weekday", sa.Integer(), nullable=True),
        sa.Column("holiday_zh", sa.String(length=40), nullable=True),
        sa.Column("holiday_en", sa.String(length=40), nullable=True),
        sa.Column("is_correction", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("row_version", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint(
            "day_kind IN ('working', 'weekend', 'holiday', 'make_up')",
            name=op.f("ck_calendar_days_day_kind_known"),
        ),
        sa.CheckConstraint("follows_weekday BETWEEN 1 AND 7", name=op.f("ck_calendar_days_iso_weekday")),
        sa.ForeignKeyConstraint(["calendar_code"], ["calendars.code"], name=op.f("fk_calendar_days_calendar_code")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendar_days")),
        sa.UniqueConstraint("calendar_code", "day", name=op.f("uq_calendar_days_calendar_code_day")),
    )
    op.create_index(op.f("ix_calendar_days_row_version"), "calendar_days", ["row_version"], unique=False)

    op.create_table(
        "calendar_windows",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("calendar_code", sa.String(length=40), nullable=False),
        sa.Column("weekday", sa.Integer(), nullable=False),
        sa.Column("opens_second", sa.Integer(), nullable=False),
        sa.Column("closes_second", sa.Integer(), nullable=False),
        sa.Column("row_version", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint(
            "0 <= opens_second AND opens_second < closes_second",
            name=op.f("ck_calendar_windows_opens_before_it_closes"),
        ),
        sa.CheckConstraint("closes_second <= 86400", name=op.f("ck_calendar_windows_closes_within_the_day")),
        sa.CheckConstraint("weekday BETWEEN 1 AND 7", name=op.f("ck_calendar_windows_iso_weekday")),
        sa.ForeignKeyConstraint(["calendar_code"], ["calendars.code"], name=op.f("fk_calendar_windows_calendar_code")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendar_windows")),
        sa.UniqueConstraint(
            "calendar_code",
            "weekday",
            "opens_second",
            name=op.f("uq_calendar_windows_calendar_code_weekday_opens_second"),
        ),
    )
    op.create_index(op.f("ix_calendar_windows_row_version"), "calendar_windows", ["row_version"], unique=False)

    op.create_table(
        "import_rejects",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("source", sa.String(length=60), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("row_key", sa.String(length=200), nullable=False),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=True),
        sa.Column("channel_code", sa.String(length=40), nullable=True),
        sa.Column("service_type_code", sa.String(length=60), nullable=True),
        sa.Column("unit_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("raw", sa.Text(), nullable=False),
        sa.Column("row_version", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("kind IN ('calls', 'tickets')", name=op.f("ck_import_rejects_kind_known")),
        sa.ForeignKeyConstraint(["channel_code"], ["channels.code"], name=op.f("fk_import_rejects_channel_code")),
        sa.ForeignKeyConstraint(
            ["service_type_code"], ["service_types.code"], name=op.f("fk_import_rejects_service_type_code")
        ),
        sa.ForeignKeyConstraint(["unit_id"], ["org_units.id"], name=op.f("fk_import_rejects_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_rejects")),
        sa.UniqueConstraint("source", "row_key", name=op.f("uq_import_rejects_source_row_key")),
    )
    op.create_index(op.f("ix_import_rejects_row_version"), "import_rejects", ["row_version"], unique=False)
    op.create_index("ix_import_rejects_started_at", "import_rejects", ["started_at"], unique=False)

    op.create_table(
        "queues",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("code", sa.String(length=60), nullable=False),
        sa.Column("name_zh", sa.String(length=80), nullable=False),
        sa.Column("name_en", sa.String(length=80), nullable=False),
        sa.Column("is_priority", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("target_seconds", sa.Integer(), server_default="20", nullable=False),
        sa.Column("calendar_code", sa.String(length=40), nullable=False),
        sa.Column("row_version", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("target_seconds > 0", name=op.f("ck_queues_target_positive")),
        sa.ForeignKeyConstraint(["calendar_code"], ["calendars.code"], name=op.f("fk_queues_calendar_code")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_queues")),
        sa.UniqueConstraint("code", name=op.f("uq_queues_code")),
    )
    op.create_index(op.f("ix_queues_row_version"), "queues", ["row_version"], unique=False)

    op.create_table(
        "seats",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("code", sa.String(length=60), nullable=False),
        sa.Column("centre_code", sa.String(length=40), nullable=False),
        sa.Column("unit_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("calendar_code", sa.String(length=40), nullable=False),
        sa.Column("installed_on", sa.Date(), nullable=False),
        sa.Column("removed_on", sa.Date(), nullable=True),
        sa.Column("row_version", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint(
            "removed_on IS NULL OR removed_on >= installed_on",
            name=op.f("ck_seats_removed_on_not_before_start"),
        ),
        sa.ForeignKeyConstraint(["calendar_code"], ["calendars.code"], name=op.f("fk_seats_calendar_code")),
        sa.ForeignKeyConstraint(["unit_id"], ["org_units.id"], name=op.f("fk_seats_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seats")),
        sa.UniqueConstraint("code", name=op.f("uq_seats_code")),
    )
    op.create_index(op.f("ix_seats_row_version"), "seats", ["row_version"], unique=False)

    op.create_table(
        "townships",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("unit_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name_zh", sa.String(length=80), nullable=False),
        sa.Column("name_en", sa.String(length=80), nullable=False),
        sa.Column("row_version", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["unit_id"], ["org_units.id"], name=op.f("fk_townships_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_townships")),
        sa.UniqueConstraint("code", name=op.f("uq_townships_code")),
    )
    op.create_index(op.f("ix_townships_row_version"), "townships", ["row_version"], unique=False)
    op.create_index(op.f("ix_townships_unit_id"), "townships", ["unit_id"], unique=False)

    op.create_table(
        "agent_queues",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("agent_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("queue_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("skill_rank", sa.Integer(), server_default="1", nullable=False),
        sa.Column("row_version", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["agent_id"], ["agents.id"], name=op.f("fk_agent_queues_agent_id")),
        sa.ForeignKeyConstraint(["queue_id"], ["queues.id"], name=op.f("fk_agent_queues_queue_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agent_queues")),
        sa.UniqueConstraint("agent_id", "queue_id", name=op.f("uq_agent_queues_agent_id_queue_id")),
    )
    op.create_index(op.f("ix_agent_queues_row_version"), "agent_queues", ["row_version"], unique=False)

    op.create_table(
        "agent_states",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("agent_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("seat_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("call_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("pause_reason", sa.String(length=20), nullable=True),
        sa.Column("pause_paid", sa.Boolean(), nullable=True),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("source", sa.String(length=60), server_default="captured", nullable=False),
        sa.Column("row_version", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint(
            "state <> 'pause' OR pause_reason IS NOT NULL", name=op.f("ck_agent_states_pause_has_a_reason")
        ),
        sa.CheckConstraint(
            "state IN ('available', 'alerting', 'talk', 'hold', 'wrap_up', 'pause')",
            name=op.f("ck_agent_states_state_known"),
        ),
        sa.CheckConstraint(
            "ended_at IS NULL OR ended_at >= started_at",
            name=op.f("ck_agent_states_ended_at_not_before_start"),
        ),
        sa.ForeignKeyConstraint(["agent_id"], ["agents.id"], name=op.f("fk_agent_states_agent_id")),
        sa.ForeignKeyConstraint(["seat_id"], ["seats.id"], name=op.f("fk_agent_states_seat_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agent_states")),
        sa.UniqueConstraint(
            "agent_id", "started_at", "source", name=op.f("uq_agent_states_agent_id_started_at_source")
        ),
    )
    op.create_index(op.f("ix_agent_states_row_version"), "agent_states", ["row_version"], unique=False)
    op.create_index("ix_agent_states_started_at", "agent_states", ["started_at"], unique=False)

    op.create_table(
        "customers",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("code", sa.String(length=60), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("key_level", sa.String(length=12), server_default="none", nullable=False),
        sa.Column("status", sa.String(length=12), server_default="active", nullable=False),
        sa.Column("unit_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("township_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("name", sa.String(length=200), nullable=True),
        sa.Column("identity_number", sa.String(length=40), nullable=True),
        sa.Column("birth_year", sa.Integer(), nullable=True),
        sa.Column("registered_at", UtcDateTime(), nullable=False),
        sa.Column("left_at", UtcDateTime(), nullable=True),
        sa.Column("leave_reason", sa.String(length=20), nullable=True),
        sa.Column("merged_into_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("row_version", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("(status = 'active') = (left_at IS NULL)", name=op.f("ck_customers_left_has_a_time")),
        sa.CheckConstraint(
            "key_level IN ('none', 'silver', 'gold', 'platinum')", name=op.f("ck_customers_key_level_known")
        ),
        sa.CheckConstraint("kind IN ('person', 'organisation')", name=op.f("ck_customers_kind_known")),
        sa.CheckConstraint(
            "leave_reason IN ('service', 'price', 'competitor', 'moved', 'deceased', 'unpaid', 'other')",
            name=op.f("ck_customers_leave_reason_known"),
        ),
        sa.CheckConstraint("status IN ('active', 'left', 'deceased')", name=op.f("ck_customers_status_known")),
        sa.CheckConstraint(
            "left_at IS NULL OR left_at >= registered_at", name=op.f("ck_customers_left_at_not_before_start")
        ),
        sa.ForeignKeyConstraint(["merged_into_id"], ["customers.id"], name=op.f("fk_customers_merged_into_id")),
        sa.ForeignKeyConstraint(["township_id"], ["townships.id"], name=op.f("fk_customers_township_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["org_units.id"], name=op.f("fk_customers_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customers")),
        sa.UniqueConstraint("code", name=op.f("uq_customers_code")),
    )
    op.create_index(op.f("ix_customers_row_version"), "customers", ["row_version"], unique=False)
    op.create_index(op.f("ix_customers_township_id"), "customers", ["township_id"], unique=False)
    op.create_index(op.f("ix_customers_unit_id"), "customers", ["unit_id"], unique=False)

    op.create_table(
        "shifts",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("agent_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("seat_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("starts_at", UtcDateTime(), nullable=False),
        sa.Column("ends_at", UtcDateTime(), nullable=False),
        sa.Column("row_version", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("ends_at IS NULL OR ends_at >= starts_at", name=op.f("ck_shifts_ends_at_not_before_start")),
        sa.ForeignKeyConstraint(["agent_id"], ["agents.id"], name=op.f("fk_shifts_agent_id")),
        sa.ForeignKeyConstraint(["seat_id"], ["seats.id"], name=op.f("fk_shifts_seat_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shifts")),
        sa.UniqueConstraint("agent_id", "starts_at", name=op.f("uq_shifts_agent_id_starts_at")),
    )
    op.create_index(op.f("ix_shifts_row_version"), "shifts", ["row_version"], unique=False)

    op.create_table(
        "accounts",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("customer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("status", sa.String(length=12), server_default="active", nullable=False),
        sa.Column("balance_fen", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("opened_at", UtcDateTime(), nullable=False),
        sa.Column("closed_at", UtcDateTime(), nullable=True),
        sa.Column("row_version", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("status IN ('active', 'suspended', 'closed')", name=op.f("ck_accounts_status_known")),
        sa.CheckConstraint(
            "closed_at IS NULL OR closed_at >= opened_at", name=op.f("ck_accounts_closed_at_not_before_start")
        ),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=op.f("fk_accounts_customer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts")),
        sa.UniqueConstraint("number", name=op.f("uq_accounts_number")),
    )
    op.create_index(op.f("ix_accounts_customer_id"), "accounts", ["customer_id"], unique=False)
    op.create_index(op.f("ix_accounts_row_version"), "accounts", ["row_version"], unique=False)

    op.create_table(
        "consents",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("customer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("channel", sa.String(length=12), nullable=False),
        sa.Column("purpose", sa.String(length=20), nullable=False),
        sa.Column("granted", sa.Boolean(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("row_version", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("channel IN ('voice', 'sms', 'email', 'letter')", name=op.f("ck_consents_channel_known")),
        sa.CheckConstraint(
            "purpose IN ('service', 'marketing', 'survey', 'profiling')",
            name=op.f("ck_consents_purpose_known"),
        ),
        sa.CheckConstraint(
            "valid_to IS NULL OR valid_to >= valid_from", name=op.f("ck_consents_valid_to_not_before_start")
        ),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=op.f("fk_consents_customer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consents")),
        sa.UniqueConstraint(
            "customer_id",
            "channel",
            "purpose",
            "valid_from",
            name=op.f("uq_consents_customer_id_channel_purpose_valid_from"),
        ),
    )
    op.create_index(op.f("ix_consents_row_version"), "consents", ["row_version"], unique=False)

    op.create_table(
        "contacts",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("channel_code", sa.String(length=40), nullable=False),
        sa.Column("external_id", sa.String(length=120), nullable=False),
        sa.Column("direction", sa.String(length=4), server_default="in", nullable=False),
        sa.Column("customer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("unit_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("township_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("service_type_code", sa.String(length=60), nullable=True),
        sa.Column("product_code", sa.String(length=40), nullable=True),
        sa.Column("agent_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("block_reason", sa.String(length=16), nullable=True),
        sa.Column("is_self_served", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("remote_address", sa.String(length=200), nullable=True),
        sa.Column("data_flag", sa.String(length=40), nullable=True),
        sa.Column("source", sa.String(length=60), server_default="captured", nullable=False),
        sa.Column("row_version", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint(
            "(outcome = 'blocked') = (block_reason IS NOT NULL)",
            name=op.f("ck_contacts_blocked_has_a_reason"),
        ),
        sa.CheckConstraint(
            "block_reason IN ('full', 'join_empty', 'closed')", name=op.f("ck_contacts_block_reason_known")
        ),
        sa.CheckConstraint("direction IN ('in', 'out')", name=op.f("ck_contacts_direction_known")),
        sa.CheckConstraint(
            "outcome IN ('answered', 'abandoned', 'ended_in_ivr', 'blocked', 'other', 'unknown')",
            name=op.f("ck_contacts_outcome_known"),
        ),
        sa.CheckConstraint(
            "ended_at IS NULL OR ended_at >= started_at", name=op.f("ck_contacts_ended_at_not_before_start")
        ),
        sa.ForeignKeyConstraint(["agent_id"], ["agents.id"], name=op.f("fk_contacts_agent_id")),
        sa.ForeignKeyConstraint(["channel_code"], ["channels.code"], name=op.f("fk_contacts_channel_code")),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=op.f("fk_contacts_customer_id")),
        sa.ForeignKeyConstraint(["product_code"], ["products.code"], name=op.f("fk_contacts_product_code")),
        sa.ForeignKeyConstraint(
            ["service_type_code"], ["service_types.code"], name=op.f("fk_contacts_service_type_code")
        ),
        sa.ForeignKeyConstraint(["township_id"], ["townships.id"], name=op.f("fk_contacts_township_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["org_units.id"], name=op.f("fk_contacts_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contacts")),
        sa.UniqueConstraint("channel_code", "external_id", name=op.f("uq_contacts_channel_code_external_id")),
    )
    op.create_index(op.f("ix_contacts_customer_id"), "contacts", ["customer_id"], unique=False)
    op.create_index(op.f("ix_contacts_row_version"), "contacts", ["row_version"], unique=False)
    op.create_index("ix_contacts_started_at", "contacts", ["started_at"], unique=False)

    op.create_table(
        "customer_addresses",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("customer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("township_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("detail", sa.String(length=300), nullable=True),
        sa.Column("is_primary", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("row_version", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=op.f("fk_customer_addresses_customer_id")),
        sa.ForeignKeyConstraint(["township_id"], ["townships.id"], name=op.f("fk_customer_addresses_township_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer_addresses")),
    )
    op.create_index(op.f("ix_customer_addresses_customer_id"), "customer_addresses", ["customer_id"], unique=False)
    op.create_index(op.f("ix_customer_addresses_row_version"), "customer_addresses", ["row_version"], unique=False)
    op.create_index(op.f("ix_customer_addresses_township_id"), "customer_addresses", ["township_id"], unique=False)

    op.create_table(
        "customer_phones",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("customer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("e164", sa.String(length=20), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("is_primary", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("do_not_call", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("row_version", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("e164 LIKE '+%'", name=op.f("ck_customer_phones_e164")),
        sa.CheckConstraint("kind IN ('mobile', 'landline', 'fax')", name=op.f("ck_customer_phones_kind_known")),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=op.f("fk_customer_phones_customer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer_phones")),
        sa.UniqueConstraint("customer_id", "e164", name=op.f("uq_customer_phones_customer_id_e164")),
    )
    op.create_index("ix_customer_phones_e164", "customer_phones", ["e164"], unique=False)
    op.create_index(op.f("ix_customer_phones_row_version"), "customer_phones", ["row_version"], unique=False)

    op.create_table(
        "calls",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("contact_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("called_number", sa.String(length=20), nullable=True),
        sa.Column("trunk", sa.String(length=40), nullable=True),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("ivr_seconds", sa.Double(), server_default="0", nullable=False),
        sa.Column("hangup_cause", sa.Integer(), nullable=True),
        sa.Column("has_recording", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("row_version", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint(
            "ended_at IS NULL OR ended_at >= started_at", name=op.f("ck_calls_ended_at_not_before_start")
        ),
        sa.CheckConstraint("ivr_seconds >= 0", name=op.f("ck_calls_ivr_not_negative")),
        sa.ForeignKeyConstraint(["contact_id"], ["contacts.id"], name=op.f("fk_calls_contact_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calls")),
        sa.UniqueConstraint("contact_id", name=op.f("uq_calls_contact_id")),
    )
    op.create_index(op.f("ix_calls_row_version"), "calls", ["row_version"], unique=False)

    op.create_table(
        "queue_visits",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("contact_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("visit_number", sa.Integer(), nullable=False),
        sa.Column("queue_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("entered_at", UtcDateTime(), nullable=False),
        sa.Column("exited_at", UtcDateTime(), nullable=True),
        sa.Column("exit_class", sa.String(length=16), nullable=True),
        sa.Column("agent_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("seat_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("is_transferred", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("row_version", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint(
            "exit_class IN ('answered', 'abandoned', 'timeout', 'key_exit', 'leave_empty', 'diverted', 'transferred', 'unknown')",
            name=op.f("ck_queue_visits_exit_class_known"),
        ),
        sa.CheckConstraint(
            "ended_at IS NULL OR ended_at >= exited_at",
            name=op.f("ck_queue_visits_ended_at_not_before_start"),
        ),
        sa.CheckConstraint("exit_class IS NULL OR exited_at IS NOT NULL", name=op.f("ck_queue_visits_exit_has_a_time")),
        sa.CheckConstraint(
            "exited_at IS NULL OR exited_at >= entered_at",
            name=op.f("ck_queue_visits_exited_at_not_before_start"),
        ),
        sa.ForeignKeyConstraint(["agent_id"], ["agents.id"], name=op.f("fk_queue_visits_agent_id")),
        sa.ForeignKeyConstraint(["contact_id"], ["contacts.id"], name=op.f("fk_queue_visits_contact_id")),
        sa.ForeignKeyConstraint(["queue_id"], ["queues.id"], name=op.f("fk_queue_visits_queue_id")),
        sa.ForeignKeyConstraint(["seat_id"], ["seats.id"], name=op.f("fk_queue_visits_seat_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_queue_visits")),
        sa.UniqueConstraint("contact_id", "visit_number", name=op.f("uq_queue_visits_contact_id_visit_number")),
    )
    op.create_index("ix_queue_visits_entered_at", "queue_visits", ["entered_at"], unique=False)
    op.create_index(op.f("ix_queue_visits_row_version"), "queue_visits", ["row_version"], unique=False)

    op.create_table(
        "subscriptions",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("product_code", sa.String(length=40), nullable=False),
        sa.Column("smart_card", sa.String(length=40), nullable=True),
        sa.Column("monthly_fee_fen", sa.BigInteger(), nullable=False),
        sa.Column("points", sa.Integer(), server_default="1", nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("end_reason", sa.String(length=20), nullable=True),
        sa.Column("row_version", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint(
            "ended_at IS NULL OR ended_at >= started_at",
            name=op.f("ck_subscriptions_ended_at_not_before_start"),
        ),
        sa.CheckConstraint("monthly_fee_fen >= 0", name=op.f("ck_subscriptions_fee_not_negative")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_subscriptions_account_id")),
        sa.ForeignKeyConstraint(["product_code"], ["products.code"], name=op.f("fk_subscriptions_product_code")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscriptions")),
    )
    op.create_index(op.f("ix_subscriptions_account_id"), "subscriptions", ["account_id"], unique=False)
    op.create_index(op.f("ix_subscriptions_row_version"), "subscriptions", ["row_version"], unique=False)
    op.create_index(op.f("ix_subscriptions_smart_card"), "subscriptions", ["smart_card"], unique=False)

    op.create_table(
        "tickets",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("code", sa.String(length=80), nullable=False),
        sa.Column("kind", sa.String(length=12), server_default="standard", nullable=False),
        sa.Column("contact_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("customer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("parent_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("channel_code", sa.String(length=40), nullable=False),
        sa.Column("service_type_code", sa.String(length=60), nullable=False),
        sa.Column("complaint_type_code", sa.String(length=80), nullable=True),
        sa.Column("product_code", sa.String(length=40), nullable=True),
        sa.Column("unit_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("township_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("priority", sa.String(length=8), server_default="normal", nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("title", sa.String(length=300), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("first_response_at", UtcDateTime(), nullable=True),
        sa.Column("first_response_due_at", UtcDateTime(), nullable=True),
        sa.Column("resolved_at", UtcDateTime(), nullable=True),
        sa.Column("resolution_due_at", UtcDateTime(), nullable=True),
        sa.Column("closed_at", UtcDateTime(), nullable=True),
        sa.Column("is_on_behalf", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("source", sa.String(length=60), server_default="captured", nullable=False),
        sa.Column("row_version", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("kind IN ('standard', 'outage')", name=op.f("ck_tickets_kind_known")),
        sa.CheckConstraint("priority IN ('low', 'normal', 'high', 'urgent')", name=op.f("ck_tickets_priority_known")),
        sa.CheckConstraint(
            "source <> 'captured' OR (state = 'closed') = (closed_at IS NOT NULL)",
            name=op.f("ck_tickets_closed_has_a_time"),
        ),
        sa.CheckConstraint(
            "state IN ('new', 'dispatched', 'accepted', 'in_progress', 'pending', 'returned', 'resolved', 'in_review', 'follow_up', 'closed', 'cancelled')",
            name=op.f("ck_tickets_state_known"),
        ),
        sa.CheckConstraint(
            "closed_at IS NULL OR closed_at >= created_at", name=op.f("ck_tickets_closed_at_not_before_start")
        ),
        sa.CheckConstraint(
            "first_response_at IS NULL OR first_response_at >= created_at",
            name=op.f("ck_tickets_first_response_at_not_before_start"),
        ),
        sa.CheckConstraint(
            "resolved_at IS NULL OR resolved_at >= created_at",
            name=op.f("ck_tickets_resolved_at_not_before_start"),
        ),
        sa.ForeignKeyConstraint(["channel_code"], ["channels.code"], name=op.f("fk_tickets_channel_code")),
        sa.ForeignKeyConstraint(
            ["complaint_type_code"], ["complaint_types.code"], name=op.f("fk_tickets_complaint_type_code")
        ),
        sa.ForeignKeyConstraint(["contact_id"], ["contacts.id"], name=op.f("fk_tickets_contact_id")),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=op.f("fk_tickets_customer_id")),
        sa.ForeignKeyConstraint(["parent_id"], ["tickets.id"], name=op.f("fk_tickets_parent_id")),
        sa.ForeignKeyConstraint(["product_code"], ["products.code"], name=op.f("fk_tickets_product_code")),
        sa.ForeignKeyConstraint(
            ["service_type_code"], ["service_types.code"], name=op.f("fk_tickets_service_type_code")
        ),
        sa.ForeignKeyConstraint(["township_id"], ["townships.id"], name=op.f("fk_tickets_township_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["org_units.id"], name=op.f("fk_tickets_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tickets")),
        sa.UniqueConstraint("code", name=op.f("uq_tickets_code")),
    )
    op.create_index(op.f("ix_tickets_contact_id"), "tickets", ["contact_id"], unique=False)
    op.create_index("ix_tickets_created_at", "tickets", ["created_at"], unique=False)
    op.create_index(op.f("ix_tickets_customer_id"), "tickets", ["customer_id"], unique=False)
    op.create_index(op.f("ix_tickets_parent_id"), "tickets", ["parent_id"], unique=False)
    op.create_index(op.f("ix_tickets_row_version"), "tickets", ["row_version"], unique=False)
    op.create_index(op.f("ix_tickets_unit_id"), "tickets", ["unit_id"], unique=False)

    op.create_table(
        "call_segments",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("call_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("segment_number", sa.Integer(), nullable=False),
        sa.Column("visit_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("agent_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("row_version", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint(
            "kind IN ('ivr', 'alerting', 'talk', 'hold', 'wrap_up')", name=op.f("ck_call_segments_kind_known")
        ),
        sa.CheckConstraint(
            "ended_at IS NULL OR ended_at >= started_at",
            name=op.f("ck_call_segments_ended_at_not_before_start"),
        ),
        sa.ForeignKeyConstraint(["agent_id"], ["agents.id"], name=op.f("fk_call_segments_agent_id")),
        sa.ForeignKeyConstraint(["call_id"], ["calls.id"], name=op.f("fk_call_segments_call_id")),
        sa.ForeignKeyConstraint(["visit_id"], ["queue_visits.id"], name=op.f("fk_call_segments_visit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_call_segments")),
        sa.UniqueConstraint("call_id", "segment_number", name=op.f("uq_call_segments_call_id_segment_number")),
    )
    op.create_index(op.f("ix_call_segments_row_version"), "call_segments", ["row_version"], unique=False)
    op.create_index(op.f("ix_call_segments_visit_id"), "call_segments", ["visit_id"], unique=False)

    op.create_table(
        "survey_answers",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("contact_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("ticket_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("asked_at", UtcDateTime(), nullable=False),
        sa.Column("answered_at", UtcDateTime(), nullable=True),
        sa.Column("score", sa.Integer(), nullable=True),
        sa.Column("row_version", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint(
            "answered_at IS NULL OR answered_at >= asked_at",
            name=op.f("ck_survey_answers_answered_at_not_before_start"),
        ),
        sa.CheckConstraint("score BETWEEN 1 AND 5", name=op.f("ck_survey_answers_score_1_to_5")),
        sa.ForeignKeyConstraint(["contact_id"], ["contacts.id"], name=op.f("fk_survey_answers_contact_id")),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_survey_answers_ticket_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_survey_answers")),
    )
    op.create_index(op.f("ix_survey_answers_contact_id"), "survey_answers", ["contact_id"], unique=False)
    op.create_index(op.f("ix_survey_answers_row_version"), "survey_answers", ["row_version"], unique=False)
    op.create_index(op.f("ix_survey_answers_ticket_id"), "survey_answers", ["ticket_id"], unique=False)

    op.create_table(
        "ticket_events",
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
        sa.Column("row_version", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint(
            "actor_role IN ('agent', 'dispatcher', 'reviewer', 'supervisor', 'branch_handler', 'branch_lead', 'system', 'foreign')",
            name=op.f("ck_ticket_events_actor_role_known"),
        ),
        sa.CheckConstraint(
            "from_state IN ('new', 'dispatched', 'accepted', 'in_progress', 'pending', 'returned', 'resolved', 'in_review', 'follow_up', 'closed', 'cancelled')",
            name=op.f("ck_ticket_events_from_state_known"),
        ),
        sa.CheckConstraint(
            "kind IN ('created', 'dispatched', 'accepted', 'started', 'pended', 'resumed', 'returned', 'resolved', 'review_started', 'rejected', 'approved', 'closed', 'cancelled', 'reopened', 'updated')",
            name=op.f("ck_ticket_events_kind_known"),
        ),
        sa.CheckConstraint(
            "to_state IN ('new', 'dispatched', 'accepted', 'in_progress', 'pending', 'returned', 'resolved', 'in_review', 'follow_up', 'closed', 'cancelled')",
            name=op.f("ck_ticket_events_to_state_known"),
        ),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_ticket_events_ticket_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["org_units.id"], name=op.f("fk_ticket_events_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket_events")),
        sa.UniqueConstraint("ticket_id", "event_number", name=op.f("uq_ticket_events_ticket_id_event_number")),
    )
    op.create_index(op.f("ix_ticket_events_row_version"), "ticket_events", ["row_version"], unique=False)

    for table in CAPTURED:
        capture(op.get_bind(), table)


def downgrade() -> None:
    raise NotImplementedError("The first revision is not undone: restore a backup, or begin with an empty store.")

"""Who uses the system, what they did, how customers are found, merged, and told of"""

import sqlalchemy as sa
from alembic import op

from core.database import Key, UtcDateTime
from crm_api.migrations.append_only import append_only
from crm_api.migrations.capture import capture, captured_columns

revision = "0004_identity"
down_revision = "0003_loop"
branch_labels = None
depends_on = None

ORDERED = sa.String(400).with_variant(sa.String(400, collation="C"), "postgresql")

# Prefixes are searched with LIKE; a plain index serves that only under the C collation.
PREFIXES = (("customers", "code"), ("customer_phones", "e164"), ("accounts", "number"), ("subscriptions", "smart_card"))


def upgrade() -> None:
    op.create_table(
        "login_throttles",
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("window_started_at", UtcDateTime(), nullable=False),
        sa.Column("blocked_until", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("subject", name=op.f("pk_login_throttles")),
    )
    op.create_table(
        "oidc_attempts",
        sa.Column("state_hash", sa.String(length=64), nullable=False),
        sa.Column("nonce", sa.String(length=64), nullable=False),
        sa.Column("verifier", sa.String(length=128), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("state_hash", name=op.f("pk_oidc_attempts")),
    )
    op.create_table(
        "webhook_endpoints",
        sa.Column("id", Key, nullable=False),
        sa.Column("url", sa.String(length=500), nullable=False),
        sa.Column("events", sa.String(length=1000), nullable=False),
        sa.Column("secret", sa.String(length=100), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("created_by", sa.String(length=60), nullable=False),
        sa.Column("disabled_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_endpoints")),
    )
    op.create_table(
        "audit_entries",
        sa.Column("id", Key, nullable=False),
        sa.Column("occurred_at", UtcDateTime(), nullable=False),
        sa.Column("action", sa.String(length=60), nullable=False),
        sa.Column("username", sa.String(length=60), nullable=True),
        sa.Column("role", sa.String(length=16), nullable=True),
        sa.Column("unit_id", Key, nullable=True),
        sa.Column("object_type", sa.String(length=40), nullable=True),
        sa.Column("object_id", sa.String(length=60), nullable=True),
        sa.Column("reason", sa.String(length=300), nullable=True),
        sa.Column("address", sa.String(length=60), nullable=True),
        sa.Column("request_id", sa.String(length=60), nullable=True),
        sa.Column("details", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["unit_id"], ["org_units.id"], name=op.f("fk_audit_entries_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entries")),
    )
    op.create_index(op.f("ix_audit_entries_action"), "audit_entries", ["action"], unique=False)
    op.create_index("ix_audit_entries_object", "audit_entries", ["object_type", "object_id"], unique=False)
    op.create_index(op.f("ix_audit_entries_occurred_at"), "audit_entries", ["occurred_at"], unique=False)
    op.create_index(op.f("ix_audit_entries_username"), "audit_entries", ["username"], unique=False)
    op.create_table(
        "webhook_deliveries",
        sa.Column("id", Key, nullable=False),
        sa.Column("endpoint_id", Key, nullable=False),
        sa.Column("event_id", sa.String(length=60), nullable=False),
        sa.Column("event_type", sa.String(length=80), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=12), server_default="waiting", nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=False),
        sa.Column("delivered_at", UtcDateTime(), nullable=True),
        sa.Column("last_error", sa.String(length=300), nullable=True),
        sa.CheckConstraint(
            "state IN ('waiting', 'delivered', 'given_up')", name=op.f("ck_webhook_deliveries_state_known")
        ),
        sa.ForeignKeyConstraint(
            ["endpoint_id"], ["webhook_endpoints.id"], name=op.f("fk_webhook_deliveries_endpoint_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_deliveries")),
    )
    op.create_index("ix_webhook_deliveries_due", "webhook_deliveries", ["state", "due_at"], unique=False)
    op.create_index(op.f("ix_webhook_deliveries_endpoint_id"), "webhook_deliveries", ["endpoint_id"], unique=False)
    op.create_table(
        "users",
        sa.Column("id", Key, nullable=False),
        sa.Column("username", sa.String(length=60), nullable=False),
        sa.Column("display_name", sa.String(length=120), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("unit_id", Key, nullable=False),
        sa.Column("agent_id", Key, nullable=True),
        sa.Column("language", sa.String(length=8), server_default="zh-CN", nullable=False),
        sa.Column("password_hash", sa.String(length=200), nullable=True),
        sa.Column("must_change_password", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("is_active", sa.Boolean(), server_default="1", nullable=False),
        sa.Column("is_demo", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("oidc_issuer", sa.String(length=300), nullable=True),
        sa.Column("oidc_subject", sa.String(length=300), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("password_changed_at", UtcDateTime(), nullable=True),
        sa.Column("last_login_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint(
            "role IN ('agent', 'dispatcher', 'reviewer', 'supervisor', 'branch_handler', 'branch_lead', 'branch_manager', 'analyst', 'manager', 'marketing', 'administrator', 'system')",
            name=op.f("ck_users_role_known"),
        ),
        sa.ForeignKeyConstraint(["agent_id"], ["agents.id"], name=op.f("fk_users_agent_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["org_units.id"], name=op.f("fk_users_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("oidc_issuer", "oidc_subject", name=op.f("uq_users_oidc_issuer_oidc_subject")),
        sa.UniqueConstraint("username", name=op.f("uq_users_username")),
    )
    op.create_index(op.f("ix_users_unit_id"), "users", ["unit_id"], unique=False)
    op.create_table(
        "api_tokens",
        sa.Column("id", Key, nullable=False),
        sa.Column("user_id", Key, nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("hint", sa.String(length=12), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("scopes", sa.String(length=1000), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=True),
        sa.Column("last_used_at", UtcDateTime(), nullable=True),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_api_tokens_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_tokens")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_api_tokens_token_hash")),
    )
    op.create_index(op.f("ix_api_tokens_user_id"), "api_tokens", ["user_id"], unique=False)
    op.create_table(
        "customer_emails",
        sa.Column("id", Key, nullable=False),
        sa.Column("customer_id", Key, nullable=False),
        sa.Column("address", sa.String(length=200), nullable=False),
        sa.Column("is_primary", sa.Boolean(), server_default="0", nullable=False),
        *captured_columns(),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=op.f("fk_customer_emails_customer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer_emails")),
        sa.UniqueConstraint("customer_id", "address", name=op.f("uq_customer_emails_customer_id_address")),
    )
    op.create_index(op.f("ix_customer_emails_address"), "customer_emails", ["address"], unique=False)
    op.create_index(op.f("ix_customer_emails_row_version"), "customer_emails", ["row_version"], unique=False)
    op.create_table(
        "customer_managers",
        sa.Column("customer_id", Key, nullable=False),
        sa.Column("user_id", Key, nullable=False),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=op.f("fk_customer_managers_customer_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_customer_managers_user_id")),
        sa.PrimaryKeyConstraint("customer_id", name=op.f("pk_customer_managers")),
    )
    op.create_index(op.f("ix_customer_managers_user_id"), "customer_managers", ["user_id"], unique=False)
    op.create_table(
        "customer_merges",
        sa.Column("id", Key, nullable=False),
        sa.Column("survivor_id", Key, nullable=False),
        sa.Column("merged_id", Key, nullable=False),
        sa.Column("merged_at", UtcDateTime(), nullable=False),
        sa.Column("merged_by", sa.String(length=60), nullable=False),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column("moved", sa.Text(), nullable=False),
        sa.Column("undone_at", UtcDateTime(), nullable=True),
        sa.Column("undone_by", sa.String(length=60), nullable=True),
        sa.CheckConstraint("survivor_id <> merged_id", name=op.f("ck_customer_merges_two_customers")),
        sa.CheckConstraint(
            "undone_at IS NULL OR undone_at >= merged_at", name=op.f("ck_customer_merges_undone_at_not_before_start")
        ),
        sa.ForeignKeyConstraint(["merged_id"], ["customers.id"], name=op.f("fk_customer_merges_merged_id")),
        sa.ForeignKeyConstraint(["survivor_id"], ["customers.id"], name=op.f("fk_customer_merges_survivor_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer_merges")),
    )
    op.create_index(op.f("ix_customer_merges_merged_id"), "customer_merges", ["merged_id"], unique=False)
    op.create_index(op.f("ix_customer_merges_survivor_id"), "customer_merges", ["survivor_id"], unique=False)
    op.create_table(
        "customer_search_keys",
        sa.Column("customer_id", Key, autoincrement=False, nullable=False),
        sa.Column("source_version", sa.BigInteger(), nullable=False),
        sa.Column("unit_id", sa.BigInteger(), nullable=True),
        sa.Column("key_rank", sa.Integer(), nullable=False),
        sa.Column("name", ORDERED, nullable=False),
        sa.Column("initials", ORDERED, nullable=False),
        sa.Column("pinyin", ORDERED, nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=op.f("fk_customer_search_keys_customer_id")),
        sa.PrimaryKeyConstraint("customer_id", name=op.f("pk_customer_search_keys")),
    )
    op.create_index(op.f("ix_customer_search_keys_initials"), "customer_search_keys", ["initials"], unique=False)
    op.create_index(op.f("ix_customer_search_keys_name"), "customer_search_keys", ["name"], unique=False)
    op.create_index(op.f("ix_customer_search_keys_pinyin"), "customer_search_keys", ["pinyin"], unique=False)
    op.create_table(
        "idempotency_keys",
        sa.Column("id", Key, nullable=False),
        sa.Column("user_id", Key, nullable=False),
        sa.Column("operation", sa.String(length=200), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("request_digest", sa.String(length=64), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("body", sa.Text(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_idempotency_keys_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_idempotency_keys")),
        sa.UniqueConstraint("user_id", "operation", "key", name=op.f("uq_idempotency_keys_user_id_operation_key")),
    )
    op.create_index(op.f("ix_idempotency_keys_created_at"), "idempotency_keys", ["created_at"], unique=False)
    op.create_table(
        "user_sessions",
        sa.Column("id", Key, nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("user_id", Key, nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("seen_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.Column("address", sa.String(length=60), nullable=True),
        sa.Column("user_agent", sa.String(length=200), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_user_sessions_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_sessions")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_user_sessions_token_hash")),
    )
    op.create_index(op.f("ix_user_sessions_expires_at"), "user_sessions", ["expires_at"], unique=False)
    op.create_index(op.f("ix_user_sessions_user_id"), "user_sessions", ["user_id"], unique=False)
    op.create_table(
        "contact_texts",
        sa.Column("id", Key, nullable=False),
        sa.Column("contact_id", Key, nullable=False),
        sa.Column("subject", sa.String(length=300), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("author", sa.String(length=60), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["contact_id"], ["contacts.id"], name=op.f("fk_contact_texts_contact_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact_texts")),
    )
    op.create_index(op.f("ix_contact_texts_contact_id"), "contact_texts", ["contact_id"], unique=False)
    op.create_index("ix_customers_identity_number", "customers", ["identity_number"])
    connection = op.get_bind()
    capture(connection, "customer_emails")
    append_only(connection, "audit_entries")
    if connection.dialect.name == "postgresql":
        _postgresql_indexes(connection)


def _postgresql_indexes(connection: sa.Connection) -> None:
    for table, column in PREFIXES:
        name = f"ix_{table}_{column}_prefix"
        op.create_index(name, table, [column], postgresql_ops={column: "text_pattern_ops"})
    # Without the extension (package postgresql-contrib) addresses are still searched, by reading them all.
    if connection.scalar(sa.text("SELECT count(*) FROM pg_available_extensions WHERE name = 'pg_trgm'")):
        connection.execute(sa.text("CREATE EXTENSION IF NOT EXISTS pg_trgm"))
        op.create_index(
            "ix_customer_search_keys_address_trigrams",
            "customer_search_keys",
            ["address"],
            postgresql_using="gin",
            postgresql_ops={"address": "gin_trgm_ops"},
        )


def downgrade() -> None:
    op.drop_index("ix_customers_identity_number", "customers")
    op.drop_table("contact_texts")
    if op.get_bind().dialect.name == "postgresql":
        for table, column in PREFIXES:
            op.drop_index(f"ix_{table}_{column}_prefix", table)
    op.drop_index(op.f("ix_user_sessions_user_id"), table_name="user_sessions")
    op.drop_index(op.f("ix_user_sessions_expires_at"), table_name="user_sessions")
    op.drop_table("user_sessions")
    op.drop_index(op.f("ix_idempotency_keys_created_at"), table_name="idempotency_keys")
    op.drop_table("idempotency_keys")
    op.drop_index(op.f("ix_customer_search_keys_pinyin"), table_name="customer_search_keys")
    op.drop_index(op.f("ix_customer_search_keys_name"), table_name="customer_search_keys")
    op.drop_index(op.f("ix_customer_search_keys_initials"), table_name="customer_search_keys")
    op.drop_table("customer_search_keys")
    op.drop_index(op.f("ix_customer_merges_survivor_id"), table_name="customer_merges")
    op.drop_index(op.f("ix_customer_merges_merged_id"), table_name="customer_merges")
    op.drop_table("customer_merges")
    op.drop_index(op.f("ix_customer_managers_user_id"), table_name="customer_managers")
    op.drop_table("customer_managers")
    op.drop_index(op.f("ix_customer_emails_row_version"), table_name="customer_emails")
    op.drop_index(op.f("ix_customer_emails_address"), table_name="customer_emails")
    op.drop_table("customer_emails")
    op.drop_index(op.f("ix_api_tokens_user_id"), table_name="api_tokens")
    op.drop_table("api_tokens")
    op.drop_index(op.f("ix_users_unit_id"), table_name="users")
    op.drop_table("users")
    op.drop_index(op.f("ix_webhook_deliveries_endpoint_id"), table_name="webhook_deliveries")
    op.drop_index("ix_webhook_deliveries_due", table_name="webhook_deliveries")
    op.drop_table("webhook_deliveries")
    op.drop_index(op.f("ix_audit_entries_username"), table_name="audit_entries")
    op.drop_index(op.f("ix_audit_entries_occurred_at"), table_name="audit_entries")
    op.drop_index("ix_audit_entries_object", table_name="audit_entries")
    op.drop_index(op.f("ix_audit_entries_action"), table_name="audit_entries")
    op.drop_table("audit_entries")
    op.drop_table("webhook_endpoints")
    op.drop_table("oidc_attempts")
    op.drop_table("login_throttles")

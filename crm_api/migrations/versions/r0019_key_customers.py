"""Key customers of a common name are found without reading all who share it"""

import sqlalchemy as sa
from alembic import op

revision = "0019_key_customers"
down_revision = "0018_wrap_ups_captured"
branch_labels = None
depends_on = None

_TABLE, _WHO = "customer_search_keys", "key_rank > 0"


def _has_trigrams() -> bool:
    connection = op.get_bind()
    if connection.dialect.name != "postgresql":
        return False
    return bool(connection.scalar(sa.text("SELECT count(*) FROM pg_extension WHERE extname = 'pg_trgm'")))


def upgrade() -> None:
    for column in ("name", "initials", "pinyin"):
        where = sa.text(_WHO)
        op.create_index(f"ix_{_TABLE}_key_{column}", _TABLE, [column], postgresql_where=where, sqlite_where=where)
    if _has_trigrams():
        op.create_index(
            f"ix_{_TABLE}_key_address_trigrams",
            _TABLE,
            ["address"],
            postgresql_using="gin",
            postgresql_ops={"address": "gin_trgm_ops"},
            postgresql_where=sa.text(_WHO),
        )


def downgrade() -> None:
    if _has_trigrams():
        op.drop_index(f"ix_{_TABLE}_key_address_trigrams", _TABLE, if_exists=True)
    for column in ("name", "initials", "pinyin"):
        op.drop_index(f"ix_{_TABLE}_key_{column}", _TABLE)

"""A province on PostgreSQL within minutes: customers with their search keys, contacts, tickets; who calls the API.

Rows are written by the server itself, without triggers and without the indexes, which are made afterwards.
"""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection, Engine, select, text

from benchmarks.search import FILL, GIVEN, ROADS, SURNAMES
from core.database import make_engine, session_scope
from core.time import utc_now
from crm_api.customers.pinyin import syllables
from crm_api.identity.models import User
from crm_api.identity.permissions import Permission
from crm_api.identity.sessions import create_token
from crm_api.organisation.models import OrgUnit
from crm_api.reference.service import load_reference
from crm_api.store import migrate
from crm_api.tickets.models import ComplaintType

#: customers, tickets
SIZES = {"small": (50_000, 100_000), "province": (2_600_000, 5_000_000)}
AGENTS, DISPATCHERS = 60, 12
_TABLES = [
    "customers",
    "customer_phones",
    "customer_addresses",
    "accounts",
    "subscriptions",
    "customer_search_keys",
    "contacts",
    "tickets",
    "ticket_events",
    "ticket_event_details",
    "ticket_work",
]

_CHARACTERS = "CREATE TEMPORARY TABLE bench_characters (place int, sign text, syllable text) ON COMMIT DROP"
_KEYS = """
INSERT INTO customer_search_keys (customer_id, source_version, unit_id, key_rank, name, initials, pinyin, address)
SELECT c.id, 0, c.unit_id, CASE c.key_level WHEN 'gold' THEN 2 ELSE 0 END, c.name,
       left(f.syllable, 1) || left(g.syllable, 1) || coalesce(left(h.syllable, 1), ''),
       f.syllable || g.syllable || coalesce(h.syllable, ''), a.detail
FROM customers c
JOIN customer_addresses a ON a.customer_id = c.id
JOIN bench_characters f ON f.place = 1 AND f.sign = substr(c.name, 1, 1)
JOIN bench_characters g ON g.place = 2 AND g.sign = substr(c.name, 2, 1)
LEFT JOIN bench_characters h ON h.place = 2 AND h.sign = substr(c.name, 3, 1)
"""
_CONTACTS = """
INSERT INTO contacts (id, channel_code, external_id, direction, customer_id, unit_id, service_type_code, started_at,
                      ended_at, outcome)
SELECT i, 'voice', 'bench-' || i, 'in', c.id, c.unit_id, 'consultation',
       CAST(:now AS timestamptz) - i * interval '20 s', CAST(:now AS timestamptz) - i * interval '20 s', 'answered'
FROM generate_series(1, CAST(:contacts AS int)) AS i
JOIN customers c ON c.id = 1 + (i::bigint * 104729) % :rows
"""
_TICKETS = """
INSERT INTO tickets (id, code, kind, customer_id, channel_code, service_type_code, complaint_type_code, unit_id,
                     priority, state, title, description, created_at, resolved_at, closed_at)
SELECT i, 'WB-' || i, 'standard', c.id, 'voice', (ARRAY['complaint', 'order', 'suggestion'])[1 + i % 3],
       CASE WHEN i % 3 = 0 THEN :complaint END, c.unit_id, 'normal',
       CASE WHEN i % 50 = 0 THEN (ARRAY['dispatched', 'accepted', 'in_progress', 'in_review'])[1 + (i / 50) % 4]
            ELSE 'closed' END,
       '机顶盒无信号', '客户反映收视异常，请上门检查线路与机顶盒。', t.born,
       CASE WHEN i % 50 > 0 THEN t.born + interval '9 h' END, CASE WHEN i % 50 > 0 THEN t.born + interval '20 h' END
FROM generate_series(1, CAST(:tickets AS int)) AS i
JOIN customers c ON c.id = 1 + (i::bigint * 7919) % :rows
CROSS JOIN LATERAL (
  SELECT CAST(:now AS timestamptz) - interval '1 day'
         - (CASE WHEN i % 50 = 0 THEN (i % 5000) * interval '1 min' ELSE i * interval '13 s' END) AS born
) AS t
"""
_WORK = (
    """
INSERT INTO ticket_work (ticket_id, process_version_id, state_since, clocks)
SELECT id, (SELECT min(id) FROM process_versions), created_at, '{}' FROM tickets WHERE state <> 'closed'
""",
    """
INSERT INTO ticket_events (id, ticket_id, event_number, kind, to_state, occurred_at, actor_role, actor)
SELECT row_number() OVER (ORDER BY id), id, 1, 'created', state, created_at, 'agent', 'bench'
FROM tickets WHERE state <> 'closed'
""",
    """
INSERT INTO ticket_event_details (event_id, action, changes, clocks)
SELECT id, 'create', '{}', '{}' FROM ticket_events
""",
)
_INDEXES = """
SELECT i.indexname, i.indexdef FROM pg_indexes i
WHERE i.schemaname = 'public' AND i.tablename = ANY(:tables)
  AND NOT EXISTS (SELECT 1 FROM pg_constraint c WHERE c.conname = i.indexname)
"""
_SEQUENCES = "SELECT setval(pg_get_serial_sequence(:name, 'id'), (SELECT max(id) FROM {table}))"


@dataclass(frozen=True)
class Callers:
    """API tokens of who calls, and the branch that tickets are sent to."""

    agents: list[str]
    dispatchers: list[str]
    branch_id: int


def prepare(url: str, customers: int, tickets: int) -> Engine:
    """A migrated store with that many customers and tickets; 2 in 100 tickets are open."""
    engine = make_engine(url=url)
    migrate(engine)
    with session_scope(engine) as session:
        load_reference(session)
        complaint = session.scalars(select(ComplaintType.code).where(ComplaintType.level == 3).limit(1)).one()
    values = {
        "rows": customers,
        "tickets": tickets,
        "contacts": tickets // 5,
        "surnames": SURNAMES,
        "given": GIVEN,
        "roads": ROADS,
        "complaint": complaint,
        "now": utc_now(),
    }
    with engine.begin() as connection:
        for setting in ("session_replication_role = replica", "synchronous_commit = off", "work_mem = '256MB'"):
            connection.exec_driver_sql(f"SET LOCAL {setting}")
        connection.exec_driver_sql("SET LOCAL maintenance_work_mem = '1GB'")
        found = connection.execute(text(_INDEXES), {"tables": _TABLES})
        indexes = [(str(name), str(definition)) for name, definition in found]
        for name, _ in indexes:
            connection.exec_driver_sql(f'DROP INDEX "{name}"')
        _fill(connection, values)
        for _, definition in indexes:
            connection.exec_driver_sql(definition)
        for table in ("customers", "contacts", "tickets", "ticket_events", "accounts"):
            connection.execute(text(_SEQUENCES.format(table=table)), {"name": table})
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM ANALYZE")
    return engine


def _fill(connection: Connection, values: dict[str, object]) -> None:
    def execute(statement: str) -> None:
        query = text(statement)
        connection.execute(query, {name: values[name] for name in query.compile().params})

    for statement in FILL:
        execute(statement)
    connection.exec_driver_sql(_CHARACTERS)
    signs = [(1, sign) for sign in set(SURNAMES)] + [(2, sign) for sign in set(GIVEN)]
    rows = [
        {"place": place, "sign": sign, "syllable": (syllables(sign) if place == 1 else syllables("一" + sign)[1:])[0]}
        for place, sign in signs
    ]
    connection.execute(text("INSERT INTO bench_characters VALUES (:place, :sign, :syllable)"), rows)
    for statement in (_KEYS, _CONTACTS, _TICKETS, *_WORK):
        execute(statement)


def hire(engine: Engine) -> Callers:
    """The people whose programs call, each with a token of their own (limits count by token)."""
    scopes = frozenset(Permission)
    with session_scope(engine) as session:
        province = session.scalars(select(OrgUnit).where(OrgUnit.kind == "province")).one()
        branch = session.scalars(select(OrgUnit.id).where(OrgUnit.code == "baoji")).one()
        tokens: dict[str, list[str]] = {"agent": [], "dispatcher": []}
        for role, count in (("agent", AGENTS), ("dispatcher", DISPATCHERS)):
            for number in range(count):
                user = User(
                    username=f"bench-{role}-{number}",
                    display_name=role,
                    role=role,
                    unit_id=province.id,
                    created_at=utc_now() - timedelta(days=1),
                )
                session.add(user)
                session.flush()
                text_, _ = create_token(session, user, name="bench", scopes=scopes, expires_at=None)
                tokens[role].append(text_)
    return Callers(tokens["agent"], tokens["dispatcher"], branch)

"""Business time in the marts is the operational clock's, on every ticket of a simulated store."""

from collections.abc import Iterator
from datetime import date

import pytest
from sqlalchemy import Engine, select

from core.database import make_engine, session_scope
from core.scope import PROVINCE
from core.settings import Settings
from core.time import utc_now
from crm_api.reference.service import load_reference
from crm_api.sla.calendars import calendar_of
from crm_api.sla.clocks import CLOCK_NAMES, Reading, read
from crm_api.sla.policies import load_default_policies, matching_policy, terms_of
from crm_api.sla.service import history_of
from crm_api.store import migrate
from crm_api.tickets.models import Ticket
from ingestion.load import ingest
from simulator.province import Wish
from simulator.run import simulate
from tests.warehouse.quick import quick_build
from warehouse.breach import explain_breach
from warehouse.publish import publish
from warehouse.reader import Reader, open_reader


@pytest.fixture(scope="module")
def province(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Engine, Reader]]:
    settings = Settings(home=tmp_path_factory.mktemp("clocks") / "home")
    engine = make_engine(settings)
    migrate(engine)
    with session_scope(engine) as session:
        load_reference(session)
        load_default_policies(session)
    simulate(Wish(customers=800, days=45, seed=3, until=date(2026, 10, 31)), settings=settings)
    ingest(settings)
    quick_build(settings)
    yield engine, open_reader(publish(settings), PROVINCE)
    engine.dispose()


def operational(engine: Engine) -> dict[tuple[int, str], Reading]:
    """Every clock of every ticket, as the operational core reads it."""
    found = {}
    with session_scope(engine) as session:
        for ticket in session.scalars(select(Ticket)):
            history = history_of(session, ticket.id)
            for clock, terms in terms_of(matching_policy(session, ticket)).items():
                found[ticket.id, clock] = read(
                    clock, history, terms, calendar_of(session, terms.calendar_code),
                    first_response_at=ticket.first_response_at, now=utc_now(),
                )  # fmt: skip
    return found


def test_every_clock_reads_the_same_in_the_marts(province: tuple[Engine, Reader]) -> None:
    engine, reader = province
    readings = operational(engine)
    rows = reader.rows("select * from fct_ticket_sla")
    assert len(rows) == len(readings) > 200
    assert rows["ended_at"].notna().sum() > 150
    assert (rows["paused_seconds"] > 0).sum() > 5
    for row in rows.itertuples():
        reading = readings[row.ticket_key, row.clock]
        terms = (reading.terms.policy_code, reading.terms.calendar_code, reading.terms.target_seconds)
        assert (row.policy_code, row.calendar_code, row.target_seconds) == terms
        assert row.standing == reading.standing
        # The promise, recomputed from its instant, is the target to the millisecond that the store keeps.
        assert row.promised_seconds == pytest.approx(reading.terms.target_seconds, abs=0.002)
        if reading.ended_at is not None:
            assert row.elapsed_seconds == pytest.approx(reading.elapsed.total_seconds(), abs=0.000_01)


@pytest.mark.parametrize("clock", CLOCK_NAMES)
def test_a_breach_is_explained_by_stretches_that_add_up(province: tuple[Engine, Reader], clock: str) -> None:
    _, reader = province
    missed = reader.rows(
        "select ticket_key, elapsed_seconds, wall_seconds, target_seconds from fct_ticket_sla"
        " where standing = 'missed' and clock = $clock order by ticket_key limit 20",
        {"clock": clock},
    )
    assert len(missed) > 0
    for row in missed.itertuples():
        told = explain_breach(reader, row.ticket_key, clock)  # type: ignore[arg-type]  # pandas knows no column's type
        assert told["wall_seconds"].sum() == pytest.approx(row.wall_seconds)
        assert told["counted_seconds"].sum() == pytest.approx(row.elapsed_seconds)
        assert told["used_seconds"].iloc[-1] > row.target_seconds
        assert (told["business_seconds"] <= told["wall_seconds"] + 0.001).all()

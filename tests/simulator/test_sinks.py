"""Store and lake hold the same rows; an interrupted run leaves nothing; a second province is refused."""

from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from click.testing import CliRunner
from sqlalchemy import Engine, func, select, text

from core.database import session_scope
from core.errors import BadInputError, ConfigurationError
from core.lake import completed_loads
from core.settings import Settings
from crm_api.contacts.models import Contact
from crm_api.models import Base
from crm_api.sla.calendars import calendar_of
from crm_api.sla.clocks import Moment, read
from crm_api.sla.policies import load_default_policies, matching_policy, terms_of
from crm_api.tickets.models import Ticket, TicketEvent
from simulator.commands import simulate as command
from simulator.parameters import DEFAULT, read_parameters
from simulator.province import Province, Wish
from simulator.run import fill, reference_rows, simulate, units_of
from simulator.sink import SIMULATED
from simulator.sink_lake import LakeSink
from simulator.sink_store import StoreSink, refuse_if_simulated
from tests.simulator.conftest import UNTIL, play

WISH = Wish(customers=600, days=20, seed=5, until=UNTIL)


def province_of(engine: Engine) -> Province:
    return Province(WISH, read_parameters(calls_per_year=30), units_of(engine))


def test_a_province_loads_into_the_store_with_every_constraint(store: Engine) -> None:
    written = fill(StoreSink(store), province_of(store))
    assert set(written) == set(SIMULATED) and min(written.values()) > 0
    with store.connect() as connection:
        for table in SIMULATED:
            rows = connection.scalar(select(func.count()).select_from(Base.metadata.tables[table]))
            assert rows == written[table], table
            assert connection.scalar(text(f"SELECT min(row_version) FROM {table}")) > 0
    with pytest.raises(BadInputError, match="already holds a simulated province"):
        refuse_if_simulated(store)
    with session_scope(store) as session:
        # The store's own numbering goes on behind the simulated keys.
        contact = Contact(channel_code="voice", external_id="new", started_at=_some_moment(session), outcome="answered")
        session.add(contact)
        session.flush()
        assert contact.id == written["contacts"] + 1


def _some_moment(session: object) -> object:
    return session.scalar(select(Contact.started_at).limit(1))  # type: ignore[attr-defined]  # a column of the model


def test_instants_in_the_store_are_those_of_the_simulation(store: Engine) -> None:
    fill(StoreSink(store), province_of(store))
    _, tables = play(WISH.customers, WISH.days, WISH.seed, calls_per_year=30)
    expected = dict(zip(*(tables["contacts"].column(name).to_pylist() for name in ("id", "started_at")), strict=True))
    with session_scope(store) as session:
        for contact in session.scalars(select(Contact).where(Contact.id <= 50)):
            assert contact.started_at == expected[contact.id]


def test_an_interrupted_run_leaves_nothing(store: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    from crm_api import bulk

    written = bulk.BulkWriter.write

    def breaks(self: bulk.BulkWriter, table: str, rows: pa.Table) -> int:
        if table == "tickets":
            raise KeyboardInterrupt
        return written(self, table, rows)

    monkeypatch.setattr(bulk.BulkWriter, "write", breaks)
    with pytest.raises(KeyboardInterrupt):
        fill(StoreSink(store), province_of(store))
    monkeypatch.undo()
    with store.connect() as connection:
        for table in SIMULATED:
            assert connection.scalar(select(func.count()).select_from(Base.metadata.tables[table])) == 0, table
    assert fill(StoreSink(store), province_of(store))["contacts"] > 0


def test_promises_are_those_of_the_operational_clock(store: Engine) -> None:
    fill(StoreSink(store), province_of(store))
    with session_scope(store) as session:
        load_default_policies(session)
        paused = select(TicketEvent.ticket_id).where(TicketEvent.kind.in_(("pended", "rejected", "reopened")))
        tickets = [
            *session.scalars(select(Ticket).where(Ticket.id.in_(paused)).order_by(Ticket.id).limit(40)),
            *session.scalars(select(Ticket).order_by(Ticket.id).limit(80)),
        ]
        for ticket in tickets:
            events = session.scalars(
                select(TicketEvent).where(TicketEvent.ticket_id == ticket.id).order_by(TicketEvent.event_number)
            ).all()
            history = [Moment(event.occurred_at, event.to_state) for event in events]
            for clock, terms in terms_of(matching_policy(session, ticket)).items():
                reading = read(
                    clock, history, terms, calendar_of(session, terms.calendar_code),
                    first_response_at=ticket.first_response_at, now=history[-1].at,
                )  # fmt: skip
                due = ticket.first_response_due_at if clock == "first_response" else ticket.resolution_due_at
                assert due == reading.due_at, (ticket.id, clock, [(e.kind, e.occurred_at) for e in events])


def test_store_and_lake_hold_the_same_rows(sqlite_url: str, tmp_path: Path) -> None:
    from core.database import make_engine

    engine = make_engine(url=sqlite_url)
    fill(StoreSink(engine), province_of(engine))
    lake = tmp_path / "lake"
    reference = reference_rows()
    province = Province(WISH, read_parameters(calls_per_year=30), reference["org_units"].to_pylist())
    fill(LakeSink(lake, "simulated"), province, reference=reference)
    assert len(completed_loads(lake)) == 1
    base = duckdb.connect()
    for table in (*SIMULATED, "org_units", "channels", "calendar_days"):
        model = Base.metadata.tables[table]
        personal = [column.name for column in model.c if column.info.get("personal")]
        files = f"read_parquet('{lake}/{table}/**/*.parquet', union_by_name = true)"
        names = {row[0] for row in base.execute(f"DESCRIBE SELECT * FROM {files}").fetchall()}
        assert names == {column.name for column in model.c} - set(personal) | {"_dlt_load_id"}
        count, versions = base.execute(f"SELECT count(*), min(row_version) FROM {files}").fetchall()[0]
        with engine.connect() as connection:
            assert connection.scalar(select(func.count()).select_from(model)) == count, table
        assert versions > 0
    kinds = base.execute(
        "SELECT DISTINCT source_table, field "
        f"FROM read_parquet('{lake}/personal_identifiers/**/*.parquet') ORDER BY ALL"
    ).fetchall()
    assert kinds == [
        ("contacts", "remote_address"),
        ("customer_addresses", "detail"),
        ("customer_phones", "e164"),
        ("customers", "identity_number"),
        ("customers", "name"),
    ]
    rows = base.execute(
        "SELECT id, code, title, epoch_us(created_at), state "
        f"FROM read_parquet('{lake}/tickets/*/*.parquet') ORDER BY id"
    ).fetchall()
    with session_scope(engine) as session:
        stored = [
            (t.id, t.code, t.title, round(t.created_at.timestamp() * 1_000_000), t.state)
            for t in session.scalars(select(Ticket).order_by(Ticket.id))
        ]
    assert stored == rows
    engine.dispose()


def test_an_interrupted_lake_run_leaves_no_load_and_a_second_one_is_refused(
    home: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(self: LakeSink) -> dict[str, int]:
        raise KeyboardInterrupt

    finish = LakeSink.finish
    monkeypatch.setattr(LakeSink, "finish", breaks)
    with pytest.raises(KeyboardInterrupt):
        simulate(WISH, target="lake", settings=home)
    assert completed_loads(home.lake) == []
    assert [path.name for path in home.lake.rglob("*.parquet") if path.name != "_schema.parquet"] == []
    monkeypatch.setattr(LakeSink, "finish", finish)
    assert simulate(WISH, target="lake", settings=home)["rows"]["contacts"] > 0
    with pytest.raises(BadInputError, match="already holds loads"):
        simulate(WISH, target="lake", settings=home)


def test_the_same_seed_gives_the_same_rows_and_another_one_others() -> None:
    first, again, other = (play(400, 20, seed)[1] for seed in (1, 1, 2))
    assert set(first) == set(SIMULATED)
    for table, rows in first.items():
        assert rows.equals(again[table]), table
    # The place and the centre's skills are what they are; everything else differs.
    differ = {table for table in SIMULATED if not first[table].equals(other[table])}
    assert {"customers", "contacts", "queue_visits", "agent_states", "tickets", "ticket_events"} <= differ


@pytest.mark.parametrize(("customers", "days"), [(1, 1), (1, 40), (50, 3)])
def test_the_smallest_provinces_work(customers: int, days: int) -> None:
    _, tables = play(customers, days)
    assert tables["customers"].num_rows == customers
    assert tables["townships"].num_rows == 920


def test_a_wrong_parameter_is_told_by_its_name(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.yml"
    for line, reason in (
        ("  mean_seconds: soon", "patience"),
        ("no_such_parameter: 1", "no_such_parameter"),
    ):
        content = DEFAULT.read_text(encoding="utf-8")
        content = (
            content.replace("mean_seconds: 190", "mean_seconds: soon") if "soon" in line else f"{content}\n{line}\n"
        )
        wrong.write_text(content, encoding="utf-8")
        with pytest.raises(ConfigurationError, match=reason):
            read_parameters(wrong)
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_parameters(tmp_path / "absent.yml")


def test_the_command_prints_counts_as_json(home: Settings, sqlite_template: Path) -> None:
    import json
    import shutil

    store = home.home / "store" / "crm.sqlite"
    store.parent.mkdir(parents=True)
    shutil.copy(sqlite_template, store)
    arguments = ["--customers", "200", "--days", "5", "--until", str(date(2026, 3, 1)), "--json"]
    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["rows"]["customers"] == 200

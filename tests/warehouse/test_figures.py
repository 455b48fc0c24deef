"""The hand-made centre's figures, counted on fingers, as `kpi_table` gives them."""

import re
from datetime import date, timedelta
from typing import Any

import duckdb
import pandas as pd
import pytest

from core.errors import BadInputError
from core.kpi import dictionary
from core.scope import PROVINCE, Scope
from core.settings import Settings
from tests.core.test_kpi import MEASURES
from tests.warehouse.centre import MONDAY, TUESDAY, at
from warehouse.dimensions import DIMENSIONS, UNANSWERED, dimension
from warehouse.kpi import _Query, days_held, kpi_table
from warehouse.publication import Publication
from warehouse.reader import Reader, open_reader


@pytest.fixture(scope="module")
def reader(published_centre: tuple[Settings, Publication]) -> Reader:
    return open_reader(published_centre[1], PROVINCE)


def figures(reader: Reader, *period: date | None, **asked: object) -> dict[str, object]:
    first, last = period or (None, None)
    table = kpi_table(reader, first, last, **asked)  # type: ignore[arg-type]  # as each test asks
    return {str(name): value for name, value in table.iloc[0].items()} if len(table) == 1 else {}


#: Of all data. Waits of answered: 20, 15, 25, 12, 10; abandoned after 5 and 30; a time-out; an unknown ending.
EXPECTED = {
    "contacts": 12,
    "outbound_contacts": 1,
    "rejected": 1,
    "offered": 9,
    "answered": 5,
    "handled": 5,
    "abandoned": 2,
    "short_abandoned": 1,
    "ended_in_ivr": 1,
    "blocked": 1,
    "sl_negative": 4 / 9,
    "sl_handled_only": 4 / 5,
    "sl_positive": 5 / 9,
    "sl_ignore": 4 / 8,
    # Own targets: 20 s in the general queue (20, 15, 10 are within), 10 s in the priority queue (12 is not).
    "sl_queue_target": 3 / 9,
    "asa_seconds": 82 / 5,
    "mean_abandon_seconds": 35 / 2,
    "mean_talk_seconds": (100 + 60 + 40 + 80 + 60) / 5,
    "aht_seconds": (340 + 10 + 50) / 5,
    "aht_completed_seconds": (340 + 10 + 50) / 5,
    "abandon_rate": 1 / 9,
    "transfer_rate": 1 / 5,
    "ivr_containment": 1 / 2,
    # The one that the IVR served is nobody known.
    "ivr_then_agent": None,
    "ivr_mean_seconds": 75 / 2,
    # Seven days are over for none.
    "fcr": None,
    # On contact 110 + 30 s; available 110 + 1200 + 60 s; ten minutes of paid pause.
    "occupancy": 140 / (140 + 1370),
    "working_time_utilisation": 1510 / (1510 + 600),
    # Open: S1 two days of 14 hours, S2 one (removed on Tuesday), X1 two office days of 7.5 hours.
    "seat_utilisation": 140 / (3 * 14 * 3600 + 2 * 7.5 * 3600),
    "seat_fill": 2110 / (3 * 14 * 3600 + 2 * 7.5 * 3600),
    # Seven hours of shifts: 910 s at work in them, ten minutes paused.
    "scheduled_hours": 7.0,
    "shrinkage": 1 - 910 / 25200,
    "adherence": 1510 / 25200,
    "agents_seen": 2,
    "tickets": 3,
    "complaints": 2,
    "customers": 2,
    "complaint_rate": 1000.0,
    "tickets_open": 2,
    "backlog": 2,
    "first_response_met": 1.0,
    "resolution_met": 0.0,
    "mean_hours_to_resolve": 24.0,
    "reopen_rate": 0.0,
    "rejection_rate": 1.0,
    "return_rate": 1 / 2,
    "satisfaction": 4.0,
    "survey_response_rate": 1 / 2,
}


def test_every_kpi_of_the_dictionary_is_counted_here() -> None:
    assert set(EXPECTED) == set(dictionary())


def test_figures_of_all_data(reader: Reader) -> None:
    found = kpi_table(reader, None, None).astype(object).where(lambda t: t.notna(), None).iloc[0].to_dict()
    assert found == {code: value if value is None else pytest.approx(value) for code, value in EXPECTED.items()}


def test_a_visit_counts_in_the_half_hour_in_which_it_starts(reader: Reader) -> None:
    table = kpi_table(reader, MONDAY, MONDAY, by=["half_hour"], kpis=["offered", "answered", "aht_completed_seconds"])
    offered = {row.half_hour: row.offered for row in table.itertuples() if row.offered}
    assert offered == {"08:30": 2, "09:00": 2, "10:00": 2, "12:00": 1, "23:30": 1}


def test_a_visit_over_midnight_belongs_to_the_day_it_began_and_its_state_to_both(reader: Reader) -> None:
    monday = figures(reader, MONDAY, MONDAY, kpis=["answered", "occupancy", "aht_completed_seconds"])
    tuesday = figures(reader, TUESDAY, TUESDAY, kpis=["answered", "occupancy", "aht_completed_seconds"])
    assert (monday["answered"], tuesday["answered"]) == (5, 0)
    assert monday["occupancy"] == pytest.approx(140 / (140 + 1340))
    assert tuesday["occupancy"] == 0
    # At completion, the conversation that ended on Tuesday is Tuesday's.
    assert tuesday["aht_completed_seconds"] == 60


def test_groups_by_channel_hold_no_group_of_seat_time(reader: Reader) -> None:
    table = kpi_table(reader, None, None, by=["channel"])
    assert dict(zip(table["channel"], table["contacts"], strict=True)) == {"voice": 11, "web_form": 1}
    assert table["seat_utilisation"].isna().all()


def test_the_dimension_keeps_the_name_that_was_typed(reader: Reader) -> None:
    table = kpi_table(reader, None, None, by=["type"], kpis=["contacts"])
    assert dict(zip(table["type"], table["contacts"], strict=True)) == {
        "complaint": 2,
        "consultation": 8,
        "unknown": 2,
    }


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        ("city", {"baoji": 3, "province": 0, "tongchuan": 1, "unknown": 1, "xian": 7}),
        ("branch", {"baoji": 3, "province": 0, "tongchuan": 1, "unknown": 1, "xian": 6, "xian.yanta": 1}),
        ("product", {"broadband": 1, "unknown": 11}),
        ("queue", {"general": 7, "none": 4, "priority": 1}),
        ("source", {"bank_calls": 0, "captured": 12}),
        ("day", {"2026-03-02": 10, "2026-03-03": 2}),
        ("week", {"2026-03-02": 12}),
        ("month", {"2026-03-01": 12}),
        ("agent", {"A1": 3, "A2": 2, "A3": 1, "none": 6}),
    ],
)
def test_contacts_by_each_dimension(reader: Reader, by: str, expected: dict[str, int]) -> None:
    table = kpi_table(reader, None, None, by=[by], kpis=["contacts"])
    found = {
        str(key)[:10] if by in ("day", "week", "month") else key: value for key, value in table.to_numpy().tolist()
    }
    assert found == expected


@pytest.mark.parametrize("by", sorted(DIMENSIONS))
def test_every_kpi_answers_by_every_dimension_or_says_that_it_cannot(reader: Reader, by: str) -> None:
    table = kpi_table(reader, MONDAY, TUESDAY, by=[by])
    assert list(table.columns) == [by, *dictionary()]
    assert len(table) > 0


def test_agents_have_their_own_time(reader: Reader) -> None:
    table = kpi_table(reader, None, None, by=["agent"], kpis=["occupancy", "answered", "tickets"]).set_index("agent")
    assert table.loc["A1", "occupancy"] == pytest.approx(140 / (140 + 170))
    assert table["answered"].to_dict() == {"A1": 3, "A2": 2, "A3": 0, "none": 0}
    # Tickets belong to no agent.
    assert table["tickets"].isna().all()


def test_a_filter_keeps_the_named_members_and_a_period_its_days(reader: Reader) -> None:
    chosen = figures(reader, MONDAY, MONDAY, filters={"city": ["xian", "baoji"], "channel": ["voice"]})
    assert (chosen["contacts"], chosen["offered"], chosen["tickets"]) == (8, 7, 1)


def test_stocks_are_counted_at_the_period_s_end(reader: Reader) -> None:
    monday = figures(reader, MONDAY, MONDAY, kpis=["customers", "backlog"])
    # On Monday the third customer had not left, and the first ticket was not closed.
    assert monday == {"customers": 3, "backlog": 1}


class TestWhatAGroupingCannotAnswer:
    """Tickets stand in no queue: that is said by NULL, not by a zero that would look like a count."""

    @pytest.mark.parametrize("asked", [{"by": ["queue"]}, {"filters": {"queue": ["general"]}}])
    def test_tickets_and_rejects_by_queue(self, reader: Reader, asked: dict[str, Any]) -> None:
        table = kpi_table(reader, None, None, **asked, kpis=["tickets", "complaints", "rejected", "offered"])
        assert table[["tickets", "complaints", "rejected"]].isna().all(axis=None)
        assert table["offered"].sum() >= 7

    @pytest.mark.parametrize(("name", "code"), [("channel", "voice"), ("type", "complaint"), ("product", "broadband")])
    def test_seat_time_of_a_channel_a_type_or_a_product(self, reader: Reader, name: str, code: str) -> None:
        chosen = figures(reader, filters={name: [code]}, kpis=["occupancy", "seat_fill", "contacts"])
        assert pd.isna(chosen["occupancy"]) and pd.isna(chosen["seat_fill"]) and float(str(chosen["contacts"])) > 0

    def test_the_measures_named_are_all_of_those_facts(self) -> None:
        families = measure_families()
        seat_time = families["seats"] | families["states"] | families["shifts"]
        assert UNANSWERED["queue_key"] == seat_time | families["rejects"] | families["tickets"]
        assert UNANSWERED["product_code"] == seat_time | families["rejects"]
        assert UNANSWERED["channel_code"] == UNANSWERED["service_type_code"] == seat_time
        assert UNANSWERED["agent_key"] == families["rejects"] | families["tickets"]


def measure_families() -> dict[str, set[str]]:
    """Family → measures, as dbt/macros/measures.sql defines them."""
    text = MEASURES.read_text(encoding="utf-8").split("{# Where each family")[0]
    found: dict[str, set[str]] = {}
    for line in text.splitlines():
        if family := re.fullmatch(r" {4}'(\w+)': \{", line):
            measures = found.setdefault(family[1], set())
        elif measure := re.match(r" {6}'(\w+)': ", line):
            measures.add(measure[1])
    return found


class TestWhatIsNotThere:
    @pytest.mark.parametrize("name", ["channel", "type", "service_type", "queue", "city", "branch", "product", "agent"])
    def test_an_unknown_code_is_named_with_the_known_ones(self, reader: Reader, name: str) -> None:
        with pytest.raises(BadInputError, match=f"The filter {name} is 'zzz'") as refused:
            kpi_table(reader, None, None, filters={name: ["zzz"]})
        assert "Known: " in refused.value.mend

    def test_a_slip_of_the_pen_gets_the_likely_code(self, reader: Reader) -> None:
        with pytest.raises(BadInputError) as refused:
            kpi_table(reader, None, None, filters={"city": ["xain"]})
        assert "Did you mean xian" in refused.value.mend

    @pytest.mark.parametrize(
        "period",
        [
            (date(2020, 1, 1), date(2020, 1, 31)),
            (date(2031, 1, 1), None),
            (None, date(2026, 3, 1)),
        ],
    )
    def test_a_period_wholly_outside_the_data_has_no_row(
        self, reader: Reader, period: tuple[date | None, date | None]
    ) -> None:
        assert days_held(reader) == (MONDAY, TUESDAY)
        assert kpi_table(reader, *period).empty
        assert kpi_table(reader, *period, by=["city"]).empty

    def test_a_selection_without_contacts_within_the_data_counts_nought(self, reader: Reader) -> None:
        assert figures(reader, TUESDAY, TUESDAY, filters={"channel": ["fax"]}, kpis=["contacts"]) == {"contacts": 0}

    def test_what_no_table_carries_is_told_in_the_names_that_were_typed(self, reader: Reader) -> None:
        with pytest.raises(BadInputError, match="by half_hour, type, agent, a period together"):
            kpi_table(reader, MONDAY, None, by=["half_hour", "type"], filters={"agent": ["A1"]})


def test_dimensions_that_no_table_carries_together_are_refused(reader: Reader) -> None:
    with pytest.raises(BadInputError, match="together"):
        kpi_table(reader, None, None, by=["half_hour", "branch"])
    with pytest.raises(BadInputError, match="no dimension 'colour'"):
        kpi_table(reader, None, None, by=["colour"])


class TestScope:
    def test_a_city_sees_its_own_rows_only(self, published_centre: tuple[Settings, Publication]) -> None:
        city = open_reader(published_centre[1], Scope("xian"))
        assert figures(city, kpis=["contacts"]) == {"contacts": 7}
        assert set(city.rows("select distinct city_code from fct_contact")["city_code"]) == {"xian"}
        assert city.rows("select count(*) as n from dim_customer")["n"].item() == 2

    @pytest.mark.parametrize(
        "sql",
        [
            "select * from published.marts.fct_contact",
            "select * from marts.fct_contact",
            "with x as (select * from published.marts.fct_contact) select * from x",
            "select (select count(*) from published.marts.fct_contact)",
            "select * from duckdb_tables()",
            "select * from read_parquet('x.parquet')",
            "select * from query('from published.marts.fct_contact')",
            "select * from query_table('published.marts.fct_contact')",
            "attach 'x.duckdb'",
            "select 1; select 2",
            "drop view fct_contact",
            "create or replace view fct_contact as select * from published.marts.fct_contact",
            "use published.marts",
        ],
    )
    def test_a_query_cannot_reach_past_its_views(
        self, published_centre: tuple[Settings, Publication], sql: str
    ) -> None:
        city = open_reader(published_centre[1], Scope("xian"))
        with pytest.raises(BadInputError):
            city.rows(sql)

    def test_a_city_sees_the_centre_s_agents_and_nobody_s_name_is_published(
        self, published_centre: tuple[Settings, Publication]
    ) -> None:
        agents = open_reader(published_centre[1], Scope("xian")).rows("select * from dim_agent order by code")
        assert list(agents["code"]) == ["A1", "A2", "A3", "none", "not_arrived"]
        assert b"Agent A1" not in published_centre[1].file.read_bytes()
        assert not any("Agent A" in str(value) for value in agents.to_numpy().ravel())


def test_self_service_counts_once_its_24_hours_are_over() -> None:
    rows = [
        # City, seconds after Monday's midnight, whether an agent answered within the 24 hours.
        ("xian", 0, True), ("xian", 5, True), ("xian", 10, False), ("baoji", 0, False),
        # One second short of over, and exactly over.
        ("xian", 3602, True), ("xian", 3601, False),
    ]  # fmt: skip
    query = _Query(None, None, [dimension("city")], [], [dictionary()["ivr_then_agent"]], ["city"])
    with duckdb.connect() as connection:
        connection.execute("create table seen (city_code varchar, second bigint, is_answered boolean)")
        connection.executemany("insert into seen values (?, ?, ?)", rows)
        connection.execute("""
            create table fct_self_service as
            select city_code, started_at, if(is_answered, started_at, null) as answered_at
            from (select *, timestamptz '2026-03-02 00:00:00+08' + to_seconds(second) as started_at from seen) as served
        """)
        connection.execute("create table kpi_day as select distinct city_code, false as is_seat_time from seen")
        asked = (query.sql(lambda _: frozenset()), query.parameters(at(MONDAY, "00:00:00") + timedelta(seconds=90_001)))
        found = dict(connection.execute(*asked).fetchall())
        connection.execute("delete from fct_self_service where city_code <> 'xian'")
        of_the_city = dict(connection.execute(*asked).fetchall())
    assert found == {"xian": pytest.approx(2 / 4), "baoji": 0.0}
    assert of_the_city["xian"] == found["xian"]

"""Shifts beside what agents did: shrinkage and adherence, counted on fingers, and as shifts and loads come late."""

from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest

from core.scope import PROVINCE, Scope
from core.settings import Settings
from tests.warehouse.centre import MONDAY, TUESDAY, Centre, at, busy
from tests.warehouse.lake import Rows, write_load
from tests.warehouse.quick import quick_build
from warehouse.kpi import kpi_table
from warehouse.publication import Publication
from warehouse.reader import Reader, open_reader

KPIS = ["scheduled_hours", "shrinkage", "adherence"]
Days = set[tuple[object, ...]]

#: What is looked at here.
MARTS = ("fct_shift_half_hour",)


@pytest.fixture(scope="module")
def reader(published_centre: tuple[Settings, Publication]) -> Reader:
    return open_reader(published_centre[1], PROVINCE)


def test_by_day_and_agent_shifts_are_set_beside_what_was_done_in_them(reader: Reader) -> None:
    told = kpi_table(reader, None, None, by=["day", "agent"], kpis=KPIS).set_index(["day", "agent"])
    monday = told.xs("2026-03-02", level="day")
    # Four and a half hours of two shifts that overlap, half an hour before midnight; 280 s at work, 600 s in a pause.
    assert monday.loc["A1"].tolist() == pytest.approx([5.0, 1 - 280 / 18000, 880 / 18000])
    # Logged in from ten minutes before the shift to ten minutes into it.
    assert monday.loc["A2"].tolist() == pytest.approx([0.5, 1200 / 1800, 600 / 1800])
    tuesday = told.xs("2026-03-03", level="day")
    assert tuesday.loc["A1"].tolist() == pytest.approx([0.5, 1770 / 1800, 30 / 1800])
    assert tuesday.loc["A3"].tolist() == pytest.approx([1.0, 1.0, 0.0])


def test_by_half_hour_and_city_they_sum_to_the_same(reader: Reader) -> None:
    halves = kpi_table(reader, MONDAY, MONDAY, by=["half_hour"], kpis=KPIS).set_index("half_hour")
    # 08:30: 250 s at work, 600 s paused.
    assert halves.loc["08:30"].tolist() == pytest.approx([0.5, 1550 / 1800, 850 / 1800])
    assert halves["scheduled_hours"].sum() == pytest.approx(5.5)
    cities = kpi_table(reader, None, None, by=["city"], kpis=KPIS).set_index("city")
    assert cities.loc[["province", "xian"], "scheduled_hours"].tolist() == pytest.approx([6.0, 1.0])
    whole = kpi_table(reader, None, None, kpis=KPIS)
    assert whole["scheduled_hours"].item() == pytest.approx(7.0)


def test_a_citys_reader_sees_its_own_seats_shifts(published_centre: tuple[Settings, Publication]) -> None:
    told = kpi_table(open_reader(published_centre[1], Scope("xian")), None, None, kpis=KPIS)
    assert told.iloc[0].tolist() == pytest.approx([1.0, 1.0, 0.0])


def test_shifts_know_no_queue_channel_or_type(reader: Reader) -> None:
    for dimension in ("queue", "channel", "type"):
        assert kpi_table(reader, None, None, by=[dimension], kpis=KPIS)[KPIS].isna().all(axis=None)


def _days(settings: Settings) -> Days:
    with duckdb.connect(str(settings.warehouse_file), read_only=True) as connection:
        return set(
            connection.execute(
                "select date_key, agent_key, sum(scheduled_seconds), sum(worked_seconds), sum(absent_seconds) "
                "from marts.fct_shift_half_hour group by all"
            ).fetchall()
        )


def _seen(settings: Settings, rows: dict[str, Rows], day: date, clock: str) -> tuple[str, Days]:
    write_load(settings.lake, rows, snapshot_at=at(day, clock).isoformat())
    return quick_build(settings, *MARTS).mode, _days(settings)


def test_what_comes_late_restates_its_day_and_a_shift_grows_until_it_is_over(
    tmp_path: Path, reference: dict[str, Rows]
) -> None:
    settings = Settings(home=tmp_path / "home")
    centre: Centre = busy(reference)
    _, first = _seen(settings, centre.rows, TUESDAY, "09:30:00")
    assert (20260303, 3, 1800.0, 0.0, 1800.0) in first
    # The store is looked at again; nothing of the floor is new, but the shift has gone on.
    mode, again = _seen(settings, {"surveys": []}, TUESDAY, "11:00:00")
    assert mode == "increment"
    assert first ^ again == {(20260303, 3, 1800.0, 0.0, 1800.0), (20260303, 3, 3600.0, 0.0, 3600.0)}
    # A shift of Monday, told on Wednesday, and what its agent did in it.
    centre.shift(3, 3, MONDAY, "14:00:00", "15:00:00")
    centre.state(3, 3, "available", MONDAY, "13:50:00", "14:40:00")
    late = {table: centre.rows[table][-1:] for table in ("shifts", "agent_states")}
    mode, found = _seen(settings, late, TUESDAY + timedelta(days=1), "08:00:00")
    assert mode == "increment"
    assert found - again == {(20260302, 3, 3600.0, 2400.0, 1200.0)}
    assert again <= found

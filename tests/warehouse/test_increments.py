"""Increments give the same marts as one full refresh, whatever the order, duplication and delay of the input."""

import os
import random
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from core.lake import completed_loads
from core.settings import Settings
from tests.warehouse.centre import MONDAY, TUESDAY, at, busy
from tests.warehouse.lake import Rows, write_load
from tests.warehouse.quick import quick_build
from warehouse.build import build, last_build

FULL = os.environ.get("CRM_TEST_FULL") == "1"
#: Deals of the same history into loads; each deal is several builds.
EXAMPLES = range(10) if FULL else range(1)
#: Hours between a load and the next: loads within one tick of the clock keep their order, too.
APART = (0, 7, 7)
Marts = dict[str, list[tuple[object, ...]]]
#: Tables that hold the codes which others name; they come with the first load, as a store's snapshot brings them.
CODES = ("channels", "service_types", "complaint_types", "products", "calendars", "calendar_days", "calendar_windows",
         "org_units", "townships")  # fmt: skip
#: The log of the builds differs with how often it was built.
LOGS = frozenset({"dq_restatement"})
#: What tells versions apart by when a load saw them differs with how the input was dealt into loads.
BY_LOAD = frozenset({"dim_customer_version", "dim_agent_version", "dim_seat_version", "dim_complaint_type_version",
                     "dim_sla_policy", "bridge_ticket_complaint_type", "dq_load"})  # fmt: skip


def history(reference: dict[str, Rows]) -> dict[str, list[list[dict[str, object]]]]:
    """Table -> rows, each as the list of its versions from the first to the last."""
    centre = busy(reference)
    # The same customer asks again within seven days, and again after them.
    followed = []
    for days in (3, 9, 20):
        again = at(TUESDAY, "15:00:00") + timedelta(days=days)
        contact = centre.contact(again, "answered", city="baoji", customer_id=2)
        followed.append(contact)
        centre.visit(contact, again, 7, "answered", agent_id=2, seat_id=2, talk=55)
    # An hour before each of these the IVR had served this customer; the last time it ends otherwise than first known.
    for days in (3, 9, 20):
        served = centre.contact(at(TUESDAY, "14:00:00") + timedelta(days=days), "ended_in_ivr", city="baoji",
                                customer_id=2, is_self_served=True)  # fmt: skip
        centre.call(served, 30.0)
    versions = {table: [[row] for row in rows] for table, rows in centre.rows.items()}

    def later(table: str, row_id: int, **values: object) -> None:
        found = next(each for each in versions[table] if each[0]["id"] == row_id)
        found.append(found[-1] | values | {"row_version": len(found) + 1})

    later("contacts", 3, service_type_code="complaint")
    later("contacts", 4, customer_id=1, unit_id=centre.units["xian"])
    later("contacts", 6, deleted_at=at(TUESDAY, "20:00:00"))
    # What followed self-service turns out to be another city's; one who was served is told to have hung up.
    later("contacts", followed[1], unit_id=centre.units["xian"])
    later("contacts", served, is_self_served=False)
    later("contacts", 9, deleted_at=at(TUESDAY, "20:00:00"))
    later("contacts", 9, deleted_at=None, product_code="cable_tv")
    # Telephony reconciliation corrects an exit that nobody had observed.
    later("queue_visits", 3, exit_class="answered", agent_id=1, seat_id=1, ended_at=at(TUESDAY, "09:00:00"))
    later("queue_visits", 1, exited_at=at(TUESDAY, "08:00:00"))
    later("queue_visits", 8, queue_id=2)
    later("tickets", 1, complaint_type_code="fee.billing.unclear", unit_id=centre.units["baoji"])
    later("tickets", 2, deleted_at=at(TUESDAY, "20:00:00"))
    later("ticket_events", 6, deleted_at=at(TUESDAY, "20:00:00"))
    later("survey_answers", 2, score=2, answered_at=at(TUESDAY, "21:00:00"))
    later("agent_states", 2, ended_at=at(MONDAY, "08:33:00"))
    later("shifts", 1, ends_at=at(MONDAY, "11:30:00"))
    later("shifts", 4, deleted_at=at(TUESDAY, "20:00:00"))
    later("recordings", 1, purged_at=at(TUESDAY, "03:00:00"))
    later("queues", 1, target_seconds=5)
    later("customers", 2, status="left")
    later("agents", 2, unit_id=centre.units["xian"])
    later("seats", 1, removed_on=TUESDAY)
    later("org_units", centre.units["baoji"], code="baoji2")
    return versions  # type: ignore[return-value]  # DuckDB gives rows of anything


def dealt(versions: dict[str, list[list[dict[str, object]]]], deal: random.Random) -> list[dict[str, Rows]]:
    """The history in loads: rows in any order and any load, some twice, later versions never before earlier ones."""
    loads: list[dict[str, Rows]] = [{} for _ in range(4)]
    for table, rows in versions.items():
        for row in deal.sample(rows, len(rows)):
            number = 0 if table in CODES else deal.randrange(len(loads))
            for version in row:
                # The first load is a copy of a store's snapshot: it holds each row once.
                earliest = number if version is row[0] else max(number, 1)
                number = number if version is row[0] else deal.randrange(earliest, len(loads))
                loads[number].setdefault(table, []).append(version)
                if number and deal.random() < 0.2:
                    loads[number][table].append(dict(version))
    for load in loads:
        for rows_of in load.values():
            # Within a load a key's newest version is the one of the highest row_version.
            deal.shuffle(rows_of)
    return loads


def marts_of(settings: Settings) -> Marts:
    """Every row of every mart, seconds rounded (sums in another order differ in the last places), sorted."""
    found = {}
    with duckdb.connect(str(settings.warehouse_file), read_only=True) as connection:
        connection.execute("set timezone = 'UTC'")
        names = connection.execute(
            "select table_name from duckdb_tables() where schema_name = 'marts' order by 1"
        ).fetchall()
        for (name,) in names:
            if name in LOGS:
                continue
            rows = connection.execute(f'select * from marts."{name}"').fetchall()
            found[name] = sorted(
                (tuple(round(value, 4) if isinstance(value, float) else value for value in row) for row in rows),
                key=repr,
            )
    return found


def differing(one: Marts, other: Marts) -> dict[str, object]:
    assert one.keys() == other.keys()

    def beyond(rows: list[tuple[object, ...]], others: list[tuple[object, ...]]) -> list[tuple[object, ...]]:
        return sorted(set(rows) - set(others), key=repr)[:3]

    return {
        name: (beyond(one[name], other[name]), beyond(other[name], one[name]))
        for name in one
        if one[name] != other[name]
    }


SEEN = at(TUESDAY, "23:00:00") + timedelta(days=60)


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory, reference: dict[str, Rows]) -> Marts:
    """The marts of the same input, in its last versions, in one load; they pass every test."""
    settings = Settings(home=tmp_path_factory.mktemp("once") / "home")
    rows = {table: [row[-1] for row in rows] for table, rows in history(reference).items()}
    write_load(settings.lake, rows, snapshot_at=SEEN.isoformat())
    assert build(settings).mode == "full"
    return marts_of(settings)


@pytest.mark.parametrize("example", EXAMPLES)
def test_any_order_duplication_and_delay_gives_the_marts_of_one_full_refresh(
    tmp_path: Path, reference: dict[str, Rows], once: Marts, example: int
) -> None:
    step = Settings(home=tmp_path / "home")
    loads = dealt(history(reference), random.Random(example))
    for number, load in enumerate(loads):
        seen = SEEN - timedelta(hours=sum(APART[number:]))
        write_load(step.lake, load, snapshot_at=seen.isoformat())
        # The rows are compared below; the tests of the last build see them all.
        made = build(step) if number == len(loads) - 1 else quick_build(step)
        assert made.mode == ("increment" if number else "full")
    added = marts_of(step)
    assert differing(added, once).keys() <= BY_LOAD
    quick_build(step, full_refresh=True)
    assert differing(added, marts_of(step)) == {}


def test_an_increment_without_new_loads_changes_nothing(built_centre: Settings) -> None:
    before = marts_of(built_centre)
    assert build(built_centre).mode == "increment"
    assert differing(before, marts_of(built_centre)) == {}


def restated(settings: Settings) -> set[tuple[object, ...]]:
    with duckdb.connect(str(settings.warehouse_file), read_only=True) as connection:
        return set(
            connection.execute(
                "select date_key, city_code, measure, value_before, value_after from marts.dq_restatement"
            ).fetchall()
        )


def test_the_log_tells_what_a_late_fact_and_a_new_target_changed(
    built_centre: Settings, reference: dict[str, Rows]
) -> None:
    settings, centre = built_centre, busy(reference)
    assert restated(settings) == set()
    # Monday's, and it arrives when Tuesday has begun.
    centre.contact(at(MONDAY, "16:00:00"), "answered", city="baoji")
    write_load(settings.lake, {"contacts": centre.rows["contacts"][-1:]})
    assert quick_build(settings, *LOGS).mode == "increment"
    late = {(20260302, "baoji", "contacts", 3.0, 4.0), (20260302, "baoji", "contacts_answered", 0.0, 1.0)}
    assert restated(settings) == late
    assert quick_build(Settings(home=settings.home, service_level_seconds=10), *LOGS).mode == "full"
    measures = {measure for _, _, measure, _, _ in restated(settings) - late}
    assert "answered_within_target" in measures <= {"answered_within_target", "abandoned_within_target"}


def test_what_an_increment_cannot_add_to_is_made_anew(tmp_path: Path, reference: dict[str, Rows]) -> None:
    settings = Settings(home=tmp_path / "home")
    write_load(settings.lake, reference)
    assert quick_build(settings, "dim_channel").reason == "there is no whole build to add to"
    assert quick_build(settings, "dim_channel", full_refresh=True).reason == "asked for"
    other = Settings(home=settings.home, service_level_seconds=30)
    assert quick_build(other, "dim_channel").reason == "the models or the settings changed"
    assert quick_build(other, "dim_channel").mode == "increment"
    write_load(settings.lake, reference, epoch=2)
    assert quick_build(other, "dim_channel").reason == "the store was restored, or an older load came late"
    built = last_build(other)
    assert built is not None
    assert built.loads == [load.load_id for load in completed_loads(settings.lake) if load.epoch == 2]

"""The loop's targets are those of the process in the store, by the version under which a ticket began."""

from datetime import timedelta
from pathlib import Path

import duckdb

from core.settings import Settings
from tests.warehouse.centre import MONDAY, TUESDAY, Centre, at, busy
from tests.warehouse.lake import Rows, write_load
from tests.warehouse.quick import quick_build

WEDNESDAY = TUESDAY + timedelta(days=1)

#: What is looked at here.
MARTS = ("fct_loop_day", "dim_loop_step", "dim_loop_step_version")


def edited(centre: Centre) -> Rows:
    """The delivered process, retired on Tuesday morning for one that gives a branch five minutes to accept."""
    first = centre.rows["process_versions"][0]
    first["activated_at"] = at(MONDAY, "00:00:00") - timedelta(days=90)
    states = [each | ({"target_seconds": 300} if each["code"] == "dispatched" else {})
              for each in first["definition"]["states"]]  # fmt: skip
    second = first | {"id": first["id"] + 1, "number": 2, "activated_at": at(TUESDAY, "08:00:00"),
                      "definition": first["definition"] | {"states": states}}  # fmt: skip
    return [first | {"status": "retired", "row_version": 9}, second]


def dispatched(settings: Settings) -> dict[int, tuple[int, int]]:
    """By day: stays in `dispatched` that ended, and those within target."""
    with duckdb.connect(str(settings.warehouse_file), read_only=True) as connection:
        rows = connection.execute(
            "select date_key, sum(stays_ended), sum(stays_within_target) from marts.fct_loop_day "
            "where state = 'dispatched' and stays_ended > 0 group by date_key"
        ).fetchall()
    return {day: (int(ended), int(within)) for day, ended, within in rows}


def test_an_edited_process_judges_the_tickets_that_begin_under_it(tmp_path: Path, reference: dict[str, Rows]) -> None:
    settings = Settings(home=tmp_path / "home")
    centre = busy(reference)
    changed = edited(centre)
    write_load(settings.lake, centre.rows)
    quick_build(settings, *MARTS)
    assert dispatched(settings) == {20260302: (2, 2)}
    # A ticket begun before the change stays with the first version, one of Wednesday follows the second: ten minutes.
    marks = {table: len(centre.rows[table]) for table in ("tickets", "ticket_events")}
    for day, clock in ((TUESDAY, "07:55"), (WEDNESDAY, "10:00")):
        ticket = centre.ticket(at(day, f"{clock}:00"), state="accepted")
        centre.step(ticket, "dispatched", "dispatched", at(day, f"{clock}:30"))
        centre.step(ticket, "accepted", "accepted", at(day, f"{clock}:30") + timedelta(minutes=10))
    new = {table: centre.rows[table][start:] for table, start in marks.items()}
    write_load(settings.lake, new | {"process_versions": changed})
    assert quick_build(settings, *MARTS).mode == "increment"
    found = dispatched(settings)
    assert found == {20260302: (2, 2), 20260303: (1, 1), 20260304: (1, 0)}
    with duckdb.connect(str(settings.warehouse_file), read_only=True) as connection:
        now = connection.execute("select target_seconds from marts.dim_loop_step where state = 'dispatched'").fetchone()
        held = connection.execute(
            "select version_number, target_seconds, year(valid_from) = 1900, year(valid_to) = 9999 "
            "from marts.dim_loop_step_version where state = 'dispatched' order by 1"
        ).fetchall()
    assert now == (300,)
    assert held == [(1, 7200, True, False), (2, 300, False, True)]
    quick_build(settings, *MARTS, full_refresh=True)
    assert dispatched(settings) == found

"""Faults put into the lake or into built marts: each is caught by the test that is named after what it breaks."""

from datetime import timedelta

import duckdb
import pytest

from core.errors import GateFailedError
from core.settings import Settings
from tests.warehouse.centre import MONDAY, TUESDAY, Centre, at, busy
from tests.warehouse.lake import Rows, write_load
from tests.warehouse.quick import copied_home
from warehouse.build import build
from warehouse.dbt_run import run_dbt
from warehouse.publication import Publication

#: Fault of the source -> the test that finds it.
SOURCE = {
    "an agent in two states at once": "agent_in_one_state_at_a_time",
    "time counted twice": "state_seconds_are_logged_in_seconds",
    "an exit without a time": "one_exit_per_visit",
    "an exit class that there is not": "one_exit_per_visit",
    "an outcome that there is not": "fct_contact__outcomes_known",
    "a channel that there is not": "fct_contact__members_known",
    "a complaint type that there is not": "fct_ticket__members_known",
    "a state that there is not": "fct_agent_state__states_known",
    "a day of four windows": "dim_work_calendar__windows_fit",
}

#: Fault of a mart -> the statement that makes it and the test that finds it.
MARTS = {
    "a contact twice": ("insert into marts.fct_contact from marts.fct_contact limit 1", "fct_contact__grain"),
    "a visit lost": ("delete from marts.fct_queue_visit where visit_key = 4", "marts_count_what_the_lake_holds"),
    "a contact without its visit": ("", "a_visit_belongs_to_one_contact"),
    "a visit of nobody's branch": (
        "update marts.fct_queue_visit set city_code = null where visit_key = 5",
        "fct_queue_visit__keys_not_null",
    ),
    "a figure of a day raised": (
        "update marts.kpi_day set offered = offered + 1 where offered > 0",
        "offered_is_the_sum_of_exit_classes",
    ),
    "half-hours that do not sum up": ("", "half_hours_sum_to_the_day"),
    "an agent's time lost": (
        "update marts.fct_seat_half_hour set occupied_seconds = occupied_seconds / 2",
        "half_hours_hold_every_state_second",
    ),
    "scheduled time lost": (
        "delete from marts.fct_shift_half_hour where agent_key = 3",
        "shifts_hold_every_scheduled_second",
    ),
    "an absence shortened": (
        "update marts.fct_shift_half_hour set absent_seconds = absent_seconds / 2 where agent_key = 2",
        "fct_shift_half_hour__scheduled_is_worked_paused_or_absent",
    ),
    "a ticket of an unknown city": (
        "update marts.fct_ticket set city_code = 'atlantis' where ticket_key = 1",
        "fct_ticket__members_known",
    ),
    "a survey answer lost": ("delete from marts.fct_survey_answer", "dq_reconciliation__marts_hold_what_staging_holds"),
    "a span that ends before it starts": (
        "update marts.fct_ticket_span set ended_at = started_at - interval 1 hour where ended_at is not null",
        "fct_ticket_span__ends_after_it_starts",
    ),
    "a clock met too late": ("update marts.fct_ticket_sla set standing = 'met'", "fct_ticket_sla__met_means_in_time"),
    "an agent's state of no time": (
        "update marts.fct_agent_state set seconds = 0",
        "fct_agent_state__states_known",
    ),
    "opening hours that do not sum up": (
        "update marts.dim_work_calendar set open_seconds = open_seconds + 60",
        "dim_work_calendar__windows_are_the_open_time",
    ),
    "a backlog below nothing": (
        "update marts.fct_backlog_day set tickets_open = -1",
        "fct_backlog_day__never_negative",
    ),
}


def one(reference: dict[str, Rows]) -> Centre:
    """Faults of visits, states, tickets and calendars."""
    centre = busy(reference)
    centre.state(3, 3, "dancing", MONDAY, "09:00:00", "09:05:00")
    contact = centre.contact(at(MONDAY, "14:10:00"), "answered", city="xian")
    centre.visit(contact, at(MONDAY, "14:10:00"), 3, "vanished")
    contact = centre.contact(at(MONDAY, "14:20:00"), "answered", city="xian")
    centre.visit(contact, at(MONDAY, "14:20:00"), 3, "abandoned")
    centre.rows["queue_visits"][-1]["exited_at"] = None
    centre.ticket(at(TUESDAY, "15:00:00"), complaint_type_code="there.is.none")
    for opens in range(4):
        centre.add("calendar_windows", calendar_code="office", weekday=7, opens_second=36000 + opens * 3600,
                   closes_second=37800 + opens * 3600)  # fmt: skip
    # A Sunday that is worked, so that the fourth window is in use.
    for day in centre.rows["calendar_days"]:
        if day["calendar_code"] == "office" and day["day"] == MONDAY + timedelta(days=6):
            day["follows_weekday"] = 7
    return centre


def other(reference: dict[str, Rows]) -> Centre:
    """Faults further along: a model behind one that broke is not built, so these are built apart."""
    centre = busy(reference)
    centre.state(2, 2, "talk", MONDAY, "09:00:00", "09:05:00")
    centre.contact(at(MONDAY, "14:00:00"), "exploded", channel_code="pigeon", city="xian")
    return centre


@pytest.fixture(scope="module")
def told_of_source(tmp_path_factory: pytest.TempPathFactory, reference: dict[str, Rows]) -> str:
    told = ""
    for make in (one, other):
        settings = Settings(home=tmp_path_factory.mktemp("faults") / "home")
        write_load(settings.lake, make(reference).rows)
        with pytest.raises(GateFailedError) as refused:
            build(settings)
        told += str(refused.value)
    return told


@pytest.mark.parametrize("fault", SOURCE)
def test_a_fault_of_the_source_is_caught_by_name(told_of_source: str, fault: str) -> None:
    assert f"\n  {SOURCE[fault]}: " in told_of_source


@pytest.fixture(scope="module")
def failed_on_marts(
    tmp_path_factory: pytest.TempPathFactory, published_centre: tuple[Settings, Publication]
) -> set[str]:
    settings = copied_home(published_centre[0], tmp_path_factory.mktemp("marts") / "home")
    with duckdb.connect(str(settings.warehouse_file)) as connection:
        for statement, _ in MARTS.values():
            if statement:
                connection.execute(statement)
    results, _ = run_dbt(settings, ["build", "--select", "dq_reconciliation"])
    checked, exception = run_dbt(settings, ["test", "--exclude", "test_type:unit", "--exclude", "tag:features"])
    assert exception is None
    return {node.name for node in [*results, *checked] if node.failed}


@pytest.mark.parametrize("fault", MARTS)
def test_a_fault_of_the_marts_is_caught_by_name(failed_on_marts: set[str], fault: str) -> None:
    assert MARTS[fault][1] in failed_on_marts

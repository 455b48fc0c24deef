"""The clocks equal what somebody with a stopwatch would note, over pauses, reviews, reopenings and holidays."""

import os
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.business_time import BusinessCalendar
from core.calendar import days_between, follows_weekday, parse_windows
from crm_api.sla.clocks import Clock, Moment, Reading, Terms, reached, read, resolved_at
from crm_api.sla.explain import explain
from tests.crm_api.ticket_world import SHANGHAI, at

EXAMPLES = 200 if os.environ.get("CRM_TEST_FULL") else 25
#: 12 noon to 2 p.m. closed; National Day 2026 off from the 1st to the 7th; Saturday the 10th made up.
WINDOWS = parse_windows([[1, 5, "08:30", "12:00"], [1, 5, "14:00", "18:00"]], field="office")
DAYS = list(days_between(date(2026, 9, 20), date(2026, 10, 20)))
OFFICE = BusinessCalendar(
    WINDOWS,
    {day.day: follows_weekday(day, observes_holidays=True) for day in DAYS},
    names={day.day: (day.holiday_zh, day.holiday_en or "") for day in DAYS if day.holiday_zh},
)
ALWAYS = BusinessCalendar(parse_windows([[1, 7, "00:00", "24:00"]], field="always"))
#: The clock's rules in words: paused while pending; done once resolved.
RUNS = {"new", "dispatched", "accepted", "in_progress", "returned"}
LOOP = st.sampled_from([
    "new", "dispatched", "accepted", "in_progress", "pending", "returned", "resolved", "in_review", "follow_up",
    "closed",
])  # fmt: skip


def reading(
    history: list[tuple[str, str]],
    now: str,
    target: str = "08:00",
    *,
    clock: Clock = "resolution",
    calendar: BusinessCalendar = OFFICE,
    answered: str | None = None,
) -> Reading:
    hours, minutes = target.split(":")
    terms = Terms("p", "office", int(hours) * 3600 + int(minutes) * 60)
    moments = [Moment(at(when), state) for when, state in history]
    return read(clock, moments, terms, calendar, first_response_at=at(answered) if answered else None, now=at(now))


@st.composite
def histories(draw: st.DrawFn) -> list[Moment]:
    start = datetime(2026, 9, 28, tzinfo=UTC) + timedelta(seconds=draw(st.integers(0, 86400 * 5)))
    moments = [Moment(start, draw(LOOP))]
    for _ in range(draw(st.integers(0, 5))):
        gap = timedelta(seconds=draw(st.one_of(st.integers(0, 7200), st.integers(0, 86400 * 4))))
        moments.append(Moment(moments[-1].at + gap, draw(LOOP)))
    return moments


@settings(max_examples=EXAMPLES, deadline=None)
@given(
    history=histories(),
    target=st.integers(1, 40_000),
    later=st.integers(0, 86400 * 3),
    answered_after=st.one_of(st.none(), st.integers(0, 86400 * 5)),
    clock=st.sampled_from(["resolution", "first_response"]),
)
def test_a_clock_equals_a_stopwatch(
    history: list[Moment], target: int, later: int, answered_after: int | None, clock: Clock
) -> None:
    now = history[-1].at + timedelta(seconds=later)
    answered = history[0].at + timedelta(seconds=answered_after) if answered_after is not None else None
    answered = answered if answered and answered <= now else None
    found = read(clock, history, Terms("p", "office", target), OFFICE, first_response_at=answered, now=now)
    end = answered if clock == "first_response" else resolved_at(history)
    counted, due, state_at = 0, None, 0
    second, stop = history[0].at, min(end or now, now)
    while second < stop:
        while state_at + 1 < len(history) and history[state_at + 1].at <= second:
            state_at += 1
        if history[state_at].state in RUNS and OFFICE.is_open(second):
            counted += 1
            if counted == target:
                due = second + timedelta(seconds=1)
        second += timedelta(seconds=1)
    assert found.elapsed == timedelta(seconds=counted)
    if due is not None:
        assert found.due_at == due
    elif found.standing == "running":
        assert found.due_at >= now
        assert OFFICE.elapsed(now, found.due_at) == timedelta(seconds=target - counted)
    if end is not None:
        assert (found.standing == "met") == (end <= found.due_at)


@settings(max_examples=EXAMPLES, deadline=None)
@given(history=histories(), later=st.integers(0, 86400 * 3))
def test_an_explanation_has_no_gap_and_adds_up(history: list[Moment], later: int) -> None:
    now = history[-1].at + timedelta(seconds=later)
    found = read("resolution", history, Terms("p", "office", 3600), OFFICE, first_response_at=None, now=now)
    told = explain(found, history, OFFICE, now=now)
    assert told.counted == found.elapsed
    until = found.ended_at or now
    assert sum((each.length for each in told.stretches), timedelta()) == until - history[0].at
    for before, after in pairwise(told.stretches):
        assert before.end == after.start


def test_the_hours_of_a_pause_do_not_count() -> None:
    history = [
        ("2026-09-28 09:00", "in_progress"),
        ("2026-09-28 10:00", "pending"),
        ("2026-09-28 11:00", "in_progress"),
    ]
    assert reading(history, "2026-09-28 11:30").elapsed == timedelta(hours=1, minutes=30)
    assert reading(history, "2026-09-28 11:00").due_at == at("2026-09-29 10:30")


def test_a_ticket_born_pending_is_paused_from_creation() -> None:
    found = reading([("2026-09-28 09:00", "pending")], "2026-09-28 17:00")
    assert (found.standing, found.elapsed) == ("paused", timedelta())
    later = [("2026-09-28 09:00", "pending"), ("2026-09-28 17:00", "new")]
    assert reading(later, "2026-09-28 17:30").elapsed == timedelta(minutes=30)


def test_reviewing_and_closing_never_change_the_resolution_time() -> None:
    history = [("2026-09-28 09:00", "in_progress"), ("2026-09-28 10:00", "resolved")]
    resolved = reading(history, "2026-09-28 10:00")
    done = [
        *history,
        ("2026-09-28 15:00", "in_review"),
        ("2026-09-29 09:00", "follow_up"),
        ("2026-09-30 09:00", "closed"),
    ]
    closed = reading(done, "2026-10-20 09:00")
    assert (closed.elapsed, closed.ended_at, closed.due_at) == (resolved.elapsed, resolved.ended_at, resolved.due_at)


def test_a_rejected_resolution_resumes_the_clock() -> None:
    history = [
        ("2026-09-28 09:00", "in_progress"),
        ("2026-09-28 10:00", "resolved"),
        ("2026-09-28 11:00", "in_progress"),
    ]
    found = reading(history, "2026-09-28 12:00")
    assert (found.standing, found.elapsed, found.ended_at) == ("running", timedelta(hours=2), None)


def test_the_closed_span_of_a_reopened_ticket_is_a_pause() -> None:
    history = [
        ("2026-09-28 09:00", "in_progress"),
        ("2026-09-28 10:00", "resolved"),
        ("2026-09-28 11:00", "closed"),
        ("2026-10-08 09:00", "in_progress"),
    ]
    assert reading(history, "2026-10-08 10:00").elapsed == timedelta(hours=2)


def test_a_cancellation_taken_back_leaves_the_resolution_where_it_was() -> None:
    history = [
        ("2026-09-28 09:00", "in_progress"),
        ("2026-09-28 10:00", "resolved"),
        ("2026-09-28 11:00", "cancelled"),
        ("2026-09-28 11:05", "resolved"),
    ]
    assert reading(history[:3], "2026-09-28 11:01").standing == "void"
    assert reading(history, "2026-09-28 12:00").ended_at == at("2026-09-28 10:00")


def test_a_target_used_up_at_closing_time_was_missed_by_who_answers_after_it() -> None:
    history = [("2026-09-28 10:00", "new"), ("2026-09-28 18:00:01", "resolved")]
    found = reading(history, "2026-09-29 09:00", target="06:00")
    assert found.due_at == at("2026-09-28 18:00")
    assert found.standing == "missed"
    assert reading([history[0], ("2026-09-28 18:00", "resolved")], "2026-09-29 09:00", "06:00").standing == "met"


def test_the_first_response_ends_with_the_answer_and_pending_pauses_it() -> None:
    history = [("2026-09-28 09:00", "new"), ("2026-09-28 09:30", "pending"), ("2026-09-28 11:00", "new")]
    found = reading(history, "2026-09-28 18:00", "01:00", clock="first_response", answered="2026-09-28 11:20")
    assert (found.standing, found.elapsed) == ("met", timedelta(minutes=50))


@pytest.mark.parametrize(
    ("percent", "now", "expected"), [(50, "12:59:59", False), (50, "13:00:00", True), (150, "20:00:00", False)]
)
def test_a_step_is_reached_when_its_part_is_used_up(percent: int, now: str, expected: bool) -> None:
    found = reading([("2026-09-28 09:00", "new")], f"2026-09-28 {now}", calendar=ALWAYS)
    assert reached(found, percent) is expected
    assert not reached(reading([("2026-09-28 09:00", "new"), ("2026-09-28 09:01", "closed")], "2026-09-29 00:00"), 1)


def test_every_stretch_says_why() -> None:
    history = [
        ("2026-09-30 17:00", "in_progress"),
        ("2026-10-08 09:00", "pending"),
        ("2026-10-10 09:00", "in_progress"),
    ]
    now = at("2026-10-10 10:00")
    moments = [Moment(at(when), state) for when, state in history]
    told = explain(reading(history, "2026-10-10 10:00"), moments, OFFICE, now=now)
    assert [
        (each.start.astimezone(SHANGHAI).strftime("%d %H:%M"), each.counted, each.reason_zh) for each in told.stretches
    ] == [
        ("30 17:00", True, "工作时间"),
        ("30 18:00", False, "非工作时段"),
        ("01 00:00", False, "国庆节"),
        ("08 00:00", False, "非工作时段"),
        ("08 08:30", True, "工作时间"),
        ("08 09:00", False, "挂起"),
        ("10 09:00", True, "调休上班"),
    ]
    assert {each.reason_en for each in told.stretches} >= {"National Day", "On hold", "Made-up working day"}

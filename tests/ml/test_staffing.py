"""Staffing: the exact vectors, the limits that the formulas must share, and covers that are cheapest."""

import math
import subprocess
import sys
import time

import numpy as np
import pytest

from ml.staffing import (
    Shift,
    cover,
    erlang_a,
    erlang_b,
    erlang_c,
    estimate_patience,
    patience_curve,
    positions,
    seats_needed,
    seats_per_interval,
    shift_templates,
)


def test_the_erlang_c_vector() -> None:
    got = erlang_c(100, 1800, 180, 14, 20)
    assert got.wait_probability == pytest.approx(0.1741319, abs=5e-8)
    assert got.service_level == pytest.approx(0.888350, abs=5e-7)
    assert got.answer_seconds == pytest.approx(7.83594, abs=5e-6)
    assert got.occupancy == pytest.approx(0.714286, abs=5e-7)
    assert positions(14, 0.3) == 20


def test_the_erlang_a_vector() -> None:
    got = erlang_a(100, 1800, 180, 14, 20, 300)
    assert got.wait_probability == pytest.approx(0.14526, abs=5e-6)
    assert got.abandon_probability == pytest.approx(0.013984, abs=5e-7)
    assert got.occupancy == pytest.approx(0.704297, abs=5e-7)


def test_endless_patience_is_erlang_c_and_the_flows_balance() -> None:
    patient, endless = erlang_a(100, 1800, 180, 14, 20, 1e8), erlang_c(100, 1800, 180, 14, 20)
    assert patient.service_level == pytest.approx(endless.service_level, abs=1e-5)
    assert patient.answer_seconds == pytest.approx(endless.answer_seconds, rel=1e-4)
    for calls, agents in [(100, 14), (300, 14), (20, 1), (2000, 205)]:
        got = erlang_a(calls, 1800, 180, agents, 20, 120)
        # Those who hang up are the queue's length over the patience; those answered keep the agents busy.
        assert got.abandon_probability == pytest.approx(got.queue_length / 120 / (calls / 1800), rel=1e-9)
        assert got.occupancy * agents == pytest.approx(calls / 10 * (1 - got.abandon_probability), rel=1e-9)
        assert erlang_a(calls, 1800, 180, agents, 0, 120).service_level == pytest.approx(1 - got.wait_probability)
        assert erlang_a(calls, 1800, 180, agents, 1e7, 120).service_level == pytest.approx(1 - got.abandon_probability)


def test_erlang_a_agrees_with_a_simulated_queue() -> None:
    rng = np.random.default_rng(0)
    arrivals = np.cumsum(rng.exponential(18, 60_000))
    free, waits, answered = np.zeros(11), [], []
    for arrival, talk, patience in zip(
        arrivals, rng.exponential(180, 60_000), rng.exponential(60, 60_000), strict=True
    ):
        agent = int(free.argmin())
        wait = max(free[agent] - arrival, 0.0)
        answered.append(wait <= patience)
        waits.append(min(wait, patience))
        if answered[-1]:
            free[agent] = arrival + wait + talk
    got = erlang_a(100, 1800, 180, 11, 20, 60)
    w, a = np.array(waits), np.array(answered)
    assert a.mean() == pytest.approx(1 - got.abandon_probability, abs=0.01)
    assert (a & (w <= 20)).mean() == pytest.approx(got.service_level, abs=0.015)
    assert w[a].mean() == pytest.approx(got.answer_seconds, rel=0.1)


def test_hundreds_of_agents_and_overload_stay_stable_and_fast() -> None:
    started = time.perf_counter()
    for calls, agents in [(5_000, 500), (50_000, 5_000), (90_000, 500), (3, 900)]:
        for patience in (1, 60, 3600, 1e6):
            got = erlang_a(calls, 1800, 180, agents, 20, patience)
            assert 0 <= got.service_level <= 1
            assert 0 <= got.abandon_probability <= 1
            assert 0 <= got.occupancy <= 1 + 1e-12
            assert math.isfinite(got.answer_seconds)
    assert 0 < erlang_b(900, 1000) < 0.001
    assert erlang_c(5_000, 1800, 180, 510, 20).service_level > 0.5
    assert time.perf_counter() - started < 5


def test_the_fewest_agents_are_found() -> None:
    for patience in (None, 180.0):
        for calls in (1, 40, 100, 3000):
            need = seats_needed(calls, 1800, 180, patience_seconds=patience, shrinkage=0.3)
            assert need.service.service_level >= 0.8
            assert need.positions == math.ceil(need.agents / 0.7 - 1e-9)
            if need.agents:
                fewer = seats_needed(calls, 1800, 180, patience_seconds=patience, least_agents=0).agents
                assert fewer == need.agents
                one_less = (
                    erlang_c(calls, 1800, 180, need.agents - 1, 20)
                    if patience is None
                    else erlang_a(calls, 1800, 180, need.agents - 1, 20, patience)
                )
                assert one_less.service_level < 0.8
    assert seats_needed(0, 1800, 180).agents == 0
    assert seats_needed(0, 1800, 180, least_agents=2).agents == 2
    assert seats_needed(100, 1800, 180, most_occupancy=0.6).service.occupancy <= 0.6
    assert seats_needed(100, 1800, 180, patience_seconds=60, target_level=0, most_abandon=0.01).agents > 10
    day = seats_per_interval([0, 20, 100, 60], 1800, 200, patience_seconds=180)
    assert [need.agents for need in day] == [*sorted({need.agents for need in day[:3]}), day[3].agents]


@pytest.mark.parametrize(
    "bad",
    [
        {"calls": -1},
        {"interval_seconds": 0},
        {"handle_seconds": float("nan")},
        {"target_level": 1.0},
        {"shrinkage": 1.0},
    ],
)
def test_impossible_inputs_are_refused(bad: dict[str, float]) -> None:
    given = {"calls": 10.0, "interval_seconds": 1800.0, "handle_seconds": 180.0, **bad}
    with pytest.raises(ValueError, match="is "):
        seats_needed(**given)  # type: ignore[arg-type]  # as each case sets


def test_patience_is_learnt_from_censored_waits() -> None:
    rng = np.random.default_rng(0)
    patience, offered = rng.exponential(200, 20_000), rng.exponential(60, 20_000)
    waits, left = np.minimum(patience, offered), patience < offered
    got = estimate_patience(waits, left)
    assert got.low_seconds < 200 < got.high_seconds
    assert got.mean_seconds == pytest.approx(200, rel=0.05)
    assert waits[left].mean() < 60
    seconds, share = patience_curve(waits, left)
    assert share[np.searchsorted(seconds, 100)] == pytest.approx(math.exp(-0.5), abs=0.03)
    nobody = estimate_patience([5, 10, 20], [False] * 3)
    assert math.isinf(nobody.mean_seconds)
    assert nobody.low_seconds > 0
    with pytest.raises(ValueError, match="one ending"):
        estimate_patience([1, 2], [True])


def test_a_cover_is_the_cheapest_and_short_only_where_nothing_covers() -> None:
    shifts = [
        Shift("early", (True, True, True, False, False, False), 3),
        Shift("late", (False, False, True, True, True, False), 3),
        Shift("short", (False, False, True, False, False, False), 1.5),
    ]
    got = cover([2, 2, 6, 1, 1, 0], shifts)
    assert got.people == {"early": 2, "late": 1, "short": 3}
    assert got.cost == pytest.approx(13.5)
    assert got.gap == 0
    assert not any(got.missing)
    short = cover([2, 2, 6, 1, 1, 4], shifts)
    assert short.missing == (0, 0, 0, 0, 0, 4)
    assert sum(cover([9] * 6, shifts, people=5).people.values()) <= 5
    assert cover([0] * 6, shifts).people == {}
    with pytest.raises(ValueError, match="Each shift"):
        cover([1, 2], shifts)


def test_a_day_of_half_hours_is_covered_with_breaks() -> None:
    calls = [150 * math.exp(-(((hour / 2 - 11) / 4) ** 2)) for hour in range(48)]
    needed = [need.agents for need in seats_per_interval(calls, 1800, 200, patience_seconds=180)]
    shifts = shift_templates(48, 30, hours=(8, 4), wraps=True)
    got = cover(needed, shifts)
    assert not any(got.missing)
    assert all(have >= want for have, want in zip(got.covered, needed, strict=True))
    assert got.cost >= sum(needed) / 2
    eight = next(shift for shift in shifts if shift.name == "08:00 +8h")
    assert sum(eight.works) == 14
    assert not eight.works[23]


def test_the_calculators_load_no_model_library() -> None:
    code = "import sys, ml.staffing; print('sklearn' in sys.modules, 'pandas' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.split() == ["False", "False"]

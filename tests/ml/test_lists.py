"""Choosing whom to call: the best total within the capacities, exactly, and by the same measure for the holdout."""

import itertools

import numpy as np
import pytest

from crm_api.campaigns.ports import Choice, Problem
from ml.lists import _greedy, _prune, solve


def random_problem(seed: int, n: int = 60, branches: int = 3, offers: int = 3, capacity: int = 6) -> Problem:
    rng = np.random.default_rng(seed)
    values = rng.gamma(2, 1000, (n, offers)) - 500
    values[(rng.random((n, offers)) < 0.3) | (values <= 0)] = -np.inf
    return Problem(
        branch=rng.integers(0, branches, n),
        values=values,
        branch_capacity=rng.integers(0, capacity + 1, branches),
        offer_capacity=rng.integers(1, 2 * capacity, offers),
    )


def check(problem: Problem, choice: Choice) -> None:
    called = np.flatnonzero(choice.offer >= 0)
    assert (
        np.bincount(problem.branch[called], minlength=len(problem.branch_capacity)) <= problem.branch_capacity
    ).all()
    used = np.bincount(choice.offer[called], minlength=len(problem.offer_capacity))
    assert (used <= problem.offer_capacity).all()
    value = problem.values[called, choice.offer[called]]
    assert np.isfinite(value).all()
    assert choice.value == pytest.approx(value.sum())
    assert choice.bound >= choice.value * (1 - 1e-9)


def best_of_all(problem: Problem) -> float:
    """Every assignment tried."""
    n, offers = problem.values.shape
    best = 0.0
    for offer in itertools.product(range(-1, offers), repeat=n):
        called = [(person, each) for person, each in enumerate(offer) if each >= 0]
        branches = np.bincount([problem.branch[person] for person, _ in called], minlength=len(problem.branch_capacity))
        used = np.bincount([each for _, each in called], minlength=offers)
        if (branches <= problem.branch_capacity).all() and (used <= problem.offer_capacity).all():
            best = max(best, sum(problem.values[person, each] for person, each in called))
    return best


@pytest.mark.parametrize("seed", range(12))
def test_the_choice_is_the_best_of_all(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = rng.integers(1, 9, (6, 2)).astype(float)
    values[rng.random((6, 2)) < 0.2] = -np.inf
    problem = Problem(rng.integers(0, 2, 6), values, rng.integers(0, 4, 2), rng.integers(0, 4, 2))
    choice = solve(problem)
    check(problem, choice)
    assert choice.value == pytest.approx(best_of_all(problem))


@pytest.mark.parametrize("seed", range(10))
def test_lists_keep_within_the_capacities_and_are_the_same_again(seed: int) -> None:
    problem = random_problem(seed)
    choice, again = solve(problem), solve(problem)
    check(problem, choice)
    assert (choice.offer == again.offer).all()
    assert choice.gap < 1e-9


@pytest.mark.parametrize("seed", range(10))
def test_the_greedy_choice_says_how_far_off_it_may_be(seed: int) -> None:
    problem = random_problem(seed)
    best, greedy = solve(problem), _greedy(problem, _prune(problem))
    check(problem, greedy)
    assert greedy.value <= best.value * (1 + 1e-9) <= greedy.bound * (1 + 1e-9)


@pytest.mark.parametrize("seed", range(10))
def test_prices_pick_the_held_out_as_the_list_picks_the_called(seed: int) -> None:
    problem = random_problem(seed, n=400, capacity=60)
    choice = solve(problem)
    net = problem.values - choice.prices[problem.branch]
    clear = net.max(axis=1) > 1e-6
    # Whom two offers suit alike at these prices gets either.
    assert (choice.offer[clear] >= 0).all()
    assert net[clear, choice.offer[clear]] == pytest.approx(net[clear].max(axis=1), abs=1e-6)
    assert (choice.offer[net.max(axis=1) < -1e-6] == -1).all()


def test_without_capacity_or_candidates_nobody_is_called() -> None:
    nobody = Problem(np.zeros(0, dtype=np.int64), np.zeros((0, 2)), np.array([5]), np.array([5, 5]))
    assert len(solve(nobody).offer) == 0
    some = Problem(np.zeros(3, dtype=np.int64), np.ones((3, 2)), np.array([0]), np.array([5, 5]))
    choice = solve(some)
    assert (choice.offer == -1).all() and np.isinf(choice.prices).all()


def test_a_worthless_call_is_not_made_although_there_is_room() -> None:
    values = np.array([[5.0, -np.inf], [-np.inf, -np.inf], [-3.0, 2.0]])
    choice = solve(Problem(np.zeros(3, dtype=np.int64), values, np.array([3]), np.array([3, 3])))
    assert list(choice.offer) == [0, -1, 1]

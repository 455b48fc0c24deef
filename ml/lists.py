"""Choosing whom to call: the best total value within the capacities of branches and offers, by HiGHS.

Maximise Σ value × x over candidates and offers, at most one offer a candidate, at most so many calls a branch (all its
offers) and an offer (all branches). The matrix is that of a network flow (offer → candidate → branch), so the linear
programme's vertex solutions are whole calls and no integer search is needed.
"""

from dataclasses import dataclass

import highspy
import numpy as np

from crm_api.campaigns.ports import Choice, Floats, Ints, Problem

#: Seconds after which the greedy choice is taken.
TIME_LIMIT = 10.0


@dataclass(frozen=True)
class _Cells:
    """Candidates × offers that can matter: rows of `value` > 0 among the best of their cell."""

    candidate: Ints
    offer: Ints
    value: Floats


def solve(problem: Problem, *, time_limit: float = TIME_LIMIT) -> Choice:
    """The best calls; greedy ones where HiGHS finds no optimum within `time_limit` seconds.

    Args:
        problem: n candidates, their branch, values (fen; -inf: not for them), capacities.
        time_limit: seconds for HiGHS.
    """
    cells = _prune(problem)
    if not len(cells.value):
        return _nothing(problem)
    if _is_separable(problem, cells):
        return _best_of_each(problem, cells)
    return _linear(problem, cells, time_limit) or _greedy(problem, cells)


def _nothing(problem: Problem) -> Choice:
    offer = np.full(len(problem.branch), -1, dtype=np.int64)
    return Choice(offer, 0.0, 0.0, _closed(problem, np.zeros(_shape(problem))), "none")


def _shape(problem: Problem) -> tuple[int, int]:
    return len(problem.branch_capacity), len(problem.offer_capacity)


def _closed(problem: Problem, prices: Floats) -> Floats:
    """No price buys a place where there are none."""
    prices[problem.branch_capacity <= 0, :] = np.inf
    prices[:, problem.offer_capacity <= 0] = np.inf
    return prices


def _prune(problem: Problem) -> _Cells:
    """The best K of each (branch, offer), K being the branch's capacity over all offers.

    That is exact: if a solution used a worse one of a cell, one of its K better ones is free of any call, since the
    branch makes K calls at most; taking that one instead is no worse. Equal values: the first candidate stays in front.
    """
    kept: list[Ints] = []
    offers: list[Ints] = []
    order = np.argsort(problem.branch, kind="stable")
    starts = np.searchsorted(problem.branch[order], np.arange(len(problem.branch_capacity) + 1))
    for branch, capacity in enumerate(problem.branch_capacity):
        rows = order[starts[branch] : starts[branch + 1]]
        for index, limit in enumerate(problem.offer_capacity):
            if capacity <= 0 or limit <= 0:
                continue
            worth = rows[problem.values[rows, index] > 0]
            # Ties must not depend on how the sort partitions: value first, then the candidate's place.
            best = worth[np.lexsort((worth, -problem.values[worth, index]))[:capacity]]
            kept.append(best)
            offers.append(np.full(len(best), index, dtype=np.int64))
    if not kept:
        empty = np.zeros(0, dtype=np.int64)
        return _Cells(empty, empty, np.zeros(0))
    candidate, offer = np.concatenate(kept), np.concatenate(offers)
    return _Cells(candidate, offer, problem.values[candidate, offer])


def _is_separable(problem: Problem, cells: _Cells) -> bool:
    """Whether no capacity can bind: each candidate simply gets their best offer."""
    people = np.bincount(problem.branch[np.unique(cells.candidate)], minlength=len(problem.branch_capacity))
    wanted = np.bincount(cells.offer, minlength=len(problem.offer_capacity))
    return bool((people <= problem.branch_capacity).all() and (wanted <= problem.offer_capacity).all())


def _best_of_each(problem: Problem, cells: _Cells) -> Choice:
    order = np.lexsort((cells.offer, -cells.value, cells.candidate))
    first = np.flatnonzero(np.diff(cells.candidate[order], prepend=-1))
    chosen = order[first]
    value = float(cells.value[chosen].sum())
    return Choice(_offers(problem, cells, chosen), value, value, _closed(problem, np.zeros(_shape(problem))), "highs")


def _offers(problem: Problem, cells: _Cells, chosen: Ints) -> Ints:
    offer = np.full(len(problem.branch), -1, dtype=np.int64)
    offer[cells.candidate[chosen]] = cells.offer[chosen]
    return offer


def _linear(problem: Problem, cells: _Cells, time_limit: float) -> Choice | None:
    """The optimum by the dual simplex method; None if it was not reached."""
    people, row_of_person = np.unique(cells.candidate, return_inverse=True)
    branches, offers = _shape(problem)
    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("time_limit", time_limit)
    solver.setOptionValue("random_seed", 1)
    solver.setOptionValue("threads", 1)
    solver.passModel(_programme(problem, cells, row_of_person, len(people)))
    solver.run()
    if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        return None
    found = solver.getSolution()
    chosen = np.flatnonzero(np.asarray(found.col_value) > 0.5)
    dual = np.abs(np.asarray(found.row_dual)[len(people) :])
    prices = dual[:branches, None] + dual[None, branches : branches + offers]
    bound = float(solver.getInfo().objective_function_value)
    value = float(cells.value[chosen].sum())
    return Choice(_offers(problem, cells, chosen), value, max(bound, value), _closed(problem, prices), "highs")


def _programme(problem: Problem, cells: _Cells, row_of_person: Ints, people: int) -> highspy.HighsLp:
    """One column a cell, three entries each: its person's row, its branch's, its offer's."""
    branches, offers = _shape(problem)
    columns = len(cells.value)
    rows = np.stack(
        [row_of_person, people + problem.branch[cells.candidate], people + branches + cells.offer], axis=1
    ).ravel()
    programme = highspy.HighsLp()
    programme.num_col_, programme.num_row_ = columns, people + branches + offers
    programme.sense_ = highspy.ObjSense.kMaximize
    programme.col_cost_ = cells.value
    programme.col_lower_, programme.col_upper_ = np.zeros(columns), np.full(columns, highspy.kHighsInf)
    programme.row_lower_ = np.full(programme.num_row_, -highspy.kHighsInf)
    capacities = np.concatenate([problem.branch_capacity, problem.offer_capacity]).astype(np.float64)
    programme.row_upper_ = np.concatenate([np.ones(people), capacities])
    programme.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    programme.a_matrix_.start_ = np.arange(columns + 1, dtype=np.int32) * 3
    programme.a_matrix_.index_ = rows.astype(np.int32)
    programme.a_matrix_.value_ = np.ones(3 * columns)
    return programme


def _greedy(problem: Problem, cells: _Cells) -> Choice:
    """Best cells first while there is room; the bound gives each branch its best calls as if offers had no limit."""
    left, room = problem.branch_capacity.copy(), problem.offer_capacity.copy()
    taken = np.zeros(len(problem.branch), dtype=bool)
    chosen: list[int] = []
    cheapest = np.full(_shape(problem), np.inf)
    for cell in np.lexsort((cells.offer, cells.candidate, -cells.value)):
        person, offer = cells.candidate[cell], cells.offer[cell]
        branch = problem.branch[person]
        if taken[person] or left[branch] <= 0 or room[offer] <= 0:
            continue
        taken[person] = True
        left[branch] -= 1
        room[offer] -= 1
        cheapest[branch, offer] = cells.value[cell]
        chosen.append(int(cell))
    full = (left <= 0)[:, None] | (room <= 0)[None, :]
    prices = np.where(full, cheapest, 0.0)
    picked = np.array(chosen, dtype=np.int64)
    value = float(cells.value[picked].sum())
    return Choice(
        _offers(problem, cells, picked), value, max(value, _bound(problem, cells)), _closed(problem, prices), "greedy"
    )


def _bound(problem: Problem, cells: _Cells) -> float:
    best = np.zeros(len(problem.branch))
    np.maximum.at(best, cells.candidate, cells.value)
    total = 0.0
    for branch, capacity in enumerate(problem.branch_capacity):
        own = np.sort(best[problem.branch == branch])[::-1]
        total += float(own[: max(0, int(capacity))].sum())
    return total

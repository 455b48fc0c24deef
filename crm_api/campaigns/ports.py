"""What the campaigns ask of the floor above: choosing whom to call. `ml.lists` does it; `cli` plugs it in."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Problem:
    """Whom could one call about what, at which value, and how many calls there are.

    Attributes:
        branch: (n,) index of each candidate's branch.
        values: (n, offers) fen that a call is worth; -inf where the offer is not for the candidate.
        branch_capacity: (branches,) calls of a branch over all offers.
        offer_capacity: (offers,) calls with an offer over all branches.
    """

    branch: Ints
    values: Floats
    branch_capacity: Ints
    offer_capacity: Ints


@dataclass(frozen=True)
class Choice:
    """Who is called about what.

    Attributes:
        offer: (n,) index of the offer, -1: not called.
        value: fen of all calls chosen.
        bound: fen that no choice could exceed.
        prices: (branches, offers) fen that a place in the cell costs others: a candidate whose value exceeds it would
            have been chosen. It picks the holdout by the same measure as the list.
        solver: `highs`, or `greedy` where HiGHS gave up.
    """

    offer: Ints
    value: float
    bound: float
    prices: Floats
    solver: str

    @property
    def gap(self) -> float:
        """How far below the bound the value is, as a share of the bound."""
        return max(0.0, (self.bound - self.value) / self.bound) if self.bound > 0 else 0.0


class Solver(Protocol):
    """Chooses at most one offer a candidate within the capacities, at the greatest total value."""

    def __call__(self, problem: Problem) -> Choice: ...

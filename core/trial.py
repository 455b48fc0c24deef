"""Did calling make a difference? Two arms drawn by lot, compared as they were assigned, whoever was reached."""

from dataclasses import dataclass
from math import ceil
from statistics import NormalDist

import numpy as np


@dataclass(frozen=True)
class Effect:
    """The difference between those to be called and those held out.

    Attributes:
        called, held: customers of each arm.
        rate_called, rate_held: share of each that met the goal; NaN where an arm is empty.
        difference: rate_called − rate_held, by intention to treat.
        low, high: bootstrap interval of the difference.
        level: confidence of that interval.
        needed: customers an arm that would show such a difference with 80 % power at 5 %; None if there is none.
    """

    called: int
    held: int
    rate_called: float
    rate_held: float
    difference: float
    low: float
    high: float
    level: float
    needed: int | None

    @property
    def is_shown(self) -> bool:
        """Whether the interval lies wholly on one side of 0 and both arms are as large as needed."""
        enough = self.needed is not None and min(self.called, self.held) >= self.needed
        return enough and (self.low > 0 or self.high < 0)

    @property
    def is_likely(self) -> bool:
        """Whether the interval lies wholly on one side of 0, however small the arms."""
        return self.low > 0 or self.high < 0


def effect(
    successes_called: int,
    called: int,
    successes_held: int,
    held: int,
    *,
    level: float = 0.95,
    draws: int = 10_000,
    random_state: int = 0,
) -> Effect:
    """The effect of calling with its bootstrap interval.

    A redrawn arm of n yes-or-no rows holds binomial(n, rate) successes, so that no row needs to be at hand.

    Raises:
        ValueError: more successes than customers, or negative counts.
    """
    if not (0 <= successes_called <= called and 0 <= successes_held <= held):
        raise ValueError(f"{successes_called} of {called} and {successes_held} of {held} are no shares.")
    if not called or not held:
        nothing = float("nan")
        rates = (successes_called / called if called else nothing, successes_held / held if held else nothing)
        return Effect(called, held, *rates, nothing, nothing, nothing, level, None)
    first, second = successes_called / called, successes_held / held
    rng = np.random.default_rng(random_state)
    redrawn = rng.binomial(called, first, draws) / called - rng.binomial(held, second, draws) / held
    low, high = np.quantile(redrawn, [(1 - level) / 2, (1 + level) / 2])
    needed = sample_needed(second, first)
    return Effect(called, held, first, second, first - second, float(low), float(high), level, needed)


def sample_needed(base: float, other: float, *, power: float = 0.8, error: float = 0.05) -> int | None:
    """Customers an arm that show a change of the share from `base` to `other`; None if they are equal.

    Two-sided test of two shares, unpooled variance (Fleiss, Statistical Methods for Rates and Proportions).
    """
    if base == other:
        return None
    quantile = NormalDist().inv_cdf
    z = quantile(1 - error / 2) + quantile(power)
    return ceil(z * z * (base * (1 - base) + other * (1 - other)) / (base - other) ** 2)

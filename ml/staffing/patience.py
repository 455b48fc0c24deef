"""How long callers are willing to wait, learnt from waits that mostly ended in an answer."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from scipy.stats import chi2


@dataclass(frozen=True)
class Patience:
    """Mean patience, in seconds, with its 95 % interval; infinite if nobody hung up.

    Attributes:
        mean_seconds, low_seconds, high_seconds: the estimate and its interval.
        abandoned: hang-ups it rests on.
        visits: waits it was learnt from.
    """

    mean_seconds: float
    low_seconds: float
    high_seconds: float
    abandoned: int
    visits: int


def estimate_patience(wait_seconds: Iterable[float], abandoned: Iterable[bool]) -> Patience:
    """Mean of an exponential patience by maximum likelihood.

    An answered caller would have waited longer, one does not know how long (a censored wait): the estimate is all
    seconds waited over the number of hang-ups. The mean wait of those who hung up would be far too short.

    Raises:
        ValueError: no waits, lengths that differ, negative waits.
    """
    waits, left = _arrays(wait_seconds, abandoned)
    seconds, count = float(waits.sum()), int(left.sum())
    if not count:
        low = 2.0 * seconds / float(chi2.ppf(0.95, 2))
        return Patience(math.inf, low, math.inf, 0, len(waits))
    low, high = (2.0 * seconds / float(chi2.ppf(q, df)) for q, df in ((0.975, 2 * count + 2), (0.025, 2 * count)))
    return Patience(seconds / count, low, high, count, len(waits))


def patience_curve(wait_seconds: Iterable[float], abandoned: Iterable[bool]) -> tuple[np.ndarray, np.ndarray]:
    """Share of callers still willing to wait after each observed wait (Kaplan, Meier 1958): seconds, share."""
    waits, left = _arrays(wait_seconds, abandoned)
    times, place = np.unique(waits, return_inverse=True)
    leaving = np.bincount(place, weights=left)
    ended = np.bincount(place)
    at_risk = len(waits) - np.concatenate([[0], np.cumsum(ended)[:-1]])
    return times, np.cumprod(1.0 - leaving / at_risk)


def _arrays(wait_seconds: Iterable[float], abandoned: Iterable[bool]) -> tuple[np.ndarray, np.ndarray]:
    waits = np.asarray(list(wait_seconds), dtype=np.float64)
    left = np.asarray(list(abandoned), dtype=bool)
    if len(waits) != len(left) or not len(waits):
        raise ValueError(f"{len(waits)} waits and {len(left)} endings were given; one ending for each wait is needed.")
    if not np.isfinite(waits).all() or (waits < 0).any():
        raise ValueError("Waits hold missing, infinite or negative values; leave those visits out.")
    return waits, left

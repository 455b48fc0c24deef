"""What a change is made of: the contributions of its parts, which add up to it exactly. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Contribution:
    """One part's share of a change, in the figure's own unit (fractions for a ratio).

    `rate` is what the part's own ratio did at its present weight, `mix` what its changed weight did; a count has
    neither. `now` and `before` are the part's own figures (NULL: the part was empty).
    """

    code: str
    amount: float
    now: float | None
    before: float | None
    rate: float = 0.0
    mix: float = 0.0


def of_count(now: Mapping[str, float], before: Mapping[str, float]) -> list[Contribution]:
    """Each part's difference, the largest first; they add up to the difference of the sums."""
    parts = [
        Contribution(code, now.get(code, 0) - before.get(code, 0), now.get(code, 0), before.get(code, 0))
        for code in sorted({*now, *before})
    ]
    return _largest_first(parts)


def of_ratio(now: Mapping[str, tuple[float, float]], before: Mapping[str, tuple[float, float]]) -> list[Contribution]:
    """Each part's share of a ratio's change, the largest first.

    With weights w = denominator ÷ all denominators and ratios r,
    r₁ − r₀ = Σ w₁·(r₁ᵢ − r₀ᵢ) + Σ (w₁ − w₀)·(r₀ᵢ − r₀): what the parts' ratios did, and what their weights did.
    A part without a ratio in one period counts wholly as weight.

    Args:
        now: part → (numerator, denominator).
        before: the same of the period before.

    Returns:
        Nothing if either period has no denominator at all.
    """
    all_now, all_before = sum(d for _, d in now.values()), sum(d for _, d in before.values())
    if not all_now or not all_before:
        return []
    whole_before = sum(n for n, _ in before.values()) / all_before
    parts = []
    for code in sorted({*now, *before}):
        (n1, d1), (n0, d0) = now.get(code, (0.0, 0.0)), before.get(code, (0.0, 0.0))
        r1, r0 = (n1 / d1 if d1 else None), (n0 / d0 if d0 else None)
        w1, w0 = d1 / all_now, d0 / all_before
        known = r0 if r0 is not None else r1 if r1 is not None else whole_before
        rate = w1 * (r1 - known) if r1 is not None else 0.0
        mix = (w1 - w0) * (known - whole_before)
        parts.append(Contribution(code, rate + mix, r1, r0, rate, mix))
    return _largest_first(parts)


def _largest_first(parts: list[Contribution]) -> list[Contribution]:
    return sorted((part for part in parts if part.amount), key=lambda part: (-abs(part.amount), part.code))

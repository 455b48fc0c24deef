"""The effect of calling: known sample sizes, intervals that cover, words only where the figures carry them."""

import numpy as np
import pytest

from core.trial import effect, sample_needed


@pytest.mark.parametrize(("base", "other", "needed"), [(0.02, 0.025, 13_807), (0.10, 0.11, 14_749)])
def test_the_sample_needed_is_the_textbooks(base: float, other: float, needed: int) -> None:
    assert sample_needed(base, other) == needed


def test_equal_shares_need_no_finite_sample() -> None:
    assert sample_needed(0.1, 0.1) is None


def test_the_interval_covers_the_truth_as_often_as_it_says() -> None:
    rng = np.random.default_rng(7)
    covered = 0
    for _ in range(300):
        found = effect(int(rng.binomial(3000, 0.08)), 3000, int(rng.binomial(600, 0.05)), 600, draws=2000)
        covered += found.low <= 0.03 <= found.high
    assert 0.91 <= covered / 300 <= 0.98


def test_chance_is_not_called_an_effect() -> None:
    rng = np.random.default_rng(3)
    found = [
        effect(int(rng.binomial(3000, 0.05)), 3000, int(rng.binomial(600, 0.05)), 600, draws=2000) for _ in range(200)
    ]
    assert sum(each.is_shown for each in found) <= 6
    assert sum(each.is_likely for each in found) <= 20


def test_small_groups_are_never_final() -> None:
    found = effect(9, 30, 0, 10)
    assert found.is_likely and not found.is_shown
    large = effect(900, 3000, 100, 1000)
    assert large.is_shown and large.difference == pytest.approx(0.2)


def test_an_empty_arm_has_no_effect() -> None:
    found = effect(3, 10, 0, 0)
    assert np.isnan(found.difference) and not found.is_likely
    with pytest.raises(ValueError, match="shares"):
        effect(11, 10, 0, 5)

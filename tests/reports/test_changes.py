"""Contributions add up to the change that they explain."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.changes import of_count, of_ratio

CODES = st.sampled_from(["a", "b", "c", "d"])
COUNTS = st.dictionaries(CODES, st.integers(0, 10_000).map(float))
PARTS = st.dictionaries(
    CODES,
    st.integers(1, 10_000).flatmap(lambda d: st.tuples(st.integers(0, d).map(float), st.just(float(d)))),
    min_size=1,
)


@given(COUNTS, COUNTS)
def test_parts_of_a_count_add_up(now: dict[str, float], before: dict[str, float]) -> None:
    assert sum(part.amount for part in of_count(now, before)) == sum(now.values()) - sum(before.values())


@given(PARTS, PARTS)
def test_parts_of_a_ratio_add_up(now: dict[str, tuple[float, float]], before: dict[str, tuple[float, float]]) -> None:
    def ratio(parts: dict[str, tuple[float, float]]) -> float:
        return sum(n for n, _ in parts.values()) / sum(d for _, d in parts.values())

    parts = of_ratio(now, before)
    assert sum(part.amount for part in parts) == pytest.approx(ratio(now) - ratio(before), abs=1e-9)
    assert all(part.amount == pytest.approx(part.rate + part.mix) for part in parts)


def test_a_queue_that_answers_worse_is_told_from_one_that_grew() -> None:
    # Both queues take half; one falls from 80 to 60 %: the whole falls by 10 points, all of it by that queue's rate.
    (part,) = of_ratio({"fault": (60, 100), "fee": (90, 100)}, {"fault": (80, 100), "fee": (90, 100)})
    assert (part.code, round(part.amount, 6), round(part.mix, 6)) == ("fault", -0.1, 0)
    # The worse queue grows: nobody answers worse, the mix does it.
    parts = of_ratio({"fault": (240, 300), "fee": (95, 100)}, {"fault": (80, 100), "fee": (95, 100)})
    assert sum(part.rate for part in parts) == 0
    assert sum(part.amount for part in parts) == pytest.approx(335 / 400 - 175 / 200)


def test_nothing_before_explains_nothing() -> None:
    assert of_ratio({"a": (1, 2)}, {}) == []

"""The order of the tests names files that there are."""

from pathlib import Path

from tests.order import _SHARES, LONG, place


def test_what_is_ordered_is_there_and_comes_first() -> None:
    folder = Path(__file__).parents[1]
    assert [name for name in (*LONG, *_SHARES) if not (folder / name).is_file()] == []
    assert place(f"tests/{LONG[0]}::test_one") < place(f"tests/{LONG[1]}::test_one[a::b]") < place("tests/core/x.py::t")

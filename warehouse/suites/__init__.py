"""The suites of expectations: one a lake table, one a published mart, as the YAML files of this package."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from core.errors import ConfigurationError

_FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class LakeSuite:
    """What must hold of the rows of a lake table: SQL conditions of bad rows, by the reason that they are bad.

    Rows that meet one of `aside` are set aside, rows that meet one of `stop` hold everything; the mix of the values of
    `shares` is compared with the loads before.
    """

    table: str
    aside: Mapping[str, str] = field(default_factory=dict)
    stop: Mapping[str, str] = field(default_factory=dict)
    shares: tuple[str, ...] = ()


@dataclass(frozen=True)
class MartSuite:
    """What must hold of a published mart: its columns and their types, least and greatest values, its day.

    `day` is the column (yyyymmdd) by which volumes are compared with the same weekdays before; the mix of the values
    of `shares` is compared with the weeks before.
    """

    mart: str
    columns: Mapping[str, str]
    ranges: Mapping[str, tuple[float | None, float | None]] = field(default_factory=dict)
    day: str = ""
    shares: tuple[str, ...] = ()


def _read(pattern: str) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for path in sorted(_FOLDER.glob(pattern)):
        found |= yaml.safe_load(path.read_text(encoding="utf-8"))
    return found


@lru_cache
def lake_suites() -> dict[str, LakeSuite]:
    """The suite of each lake table."""
    return {
        table: LakeSuite(table, given.get("aside", {}), given.get("stop", {}), tuple(given.get("shares", ())))
        for table, given in _read("lake.yml").items()
    }


@lru_cache
def mart_suites() -> dict[str, MartSuite]:
    """The suite of each published mart."""
    return {mart: _mart_suite(mart, given) for mart, given in _read("marts_*.yml").items()}


def _mart_suite(mart: str, given: Mapping[str, Any]) -> MartSuite:
    columns = {name: kind for kind, names in given["columns"].items() for name in names}
    ranges = {name: _range(mart, words) for words, names in given.get("ranges", {}).items() for name in names}
    unknown = sorted({*ranges, *given.get("shares", ())} - set(columns))
    if unknown:
        raise ConfigurationError(f"The suite of {mart} names columns that it does not list: {', '.join(unknown)}.")
    return MartSuite(mart, columns, ranges, given.get("day", ""), tuple(given.get("shares", ())))


def _range(mart: str, words: str) -> tuple[float | None, float | None]:
    """`0 to 47` or `from 0`."""
    try:
        if words.startswith("from "):
            return float(words.removeprefix("from ")), None
        least, greatest = words.split(" to ")
        return float(least), float(greatest)
    except ValueError as error:
        raise ConfigurationError(
            f"The suite of {mart} has the range {words!r}.", "Write: 0 to 47, or: from 0."
        ) from error

"""The gate before a publication: every mart's suite, and what must add up between marts."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path

import duckdb
import pandas as pd
import yaml

from core.errors import NotPublishedError
from core.settings import Settings
from warehouse.build import last_build
from warehouse.comparisons import SHIFTED, ratio_to_usual, stability
from warehouse.expectations import Found, Given, Measure, Validator
from warehouse.gate_frames import columns_of, counts_by_day, extremes, frame, gate_connection, mixes
from warehouse.gate_history import GateRun, judged
from warehouse.publication import current
from warehouse.suites import MartSuite, mart_suites

_FILE = Path(__file__).with_name("gates.yml")
#: A mart that loses more than half of its rows since the last publication was not built right.
_LEAST_LEFT = 0.5
#: Marts of fewer rows may lose them.
_FEW_ROWS = 100
#: The same weekdays that a day is compared with; the days of a mix, and those before it that it is compared with.
_WEEKS, _MIX_DAYS, _MIX_BEFORE = 8, 7, 28


def check(settings: Settings, run_id: str) -> tuple[GateRun, list[Found]]:
    """Check every suite of the marts; the run's verdict and each expectation as found. Nothing is raised or kept."""
    validator = Validator()
    built = last_build(settings)
    with gate_connection(settings) as connection:
        found = _of_marts(validator, connection, _rows_published(settings))
        for name, expectations in yaml.safe_load(_FILE.read_text(encoding="utf-8")).items():
            found += validator.validate(name, frame(connection, name, {}), expectations)
    return judged(
        run_id, "marts", found, build=built.build if built else "", loads=built.loads[-1:] if built else []
    ), found


def _rows_published(settings: Settings) -> dict[str, int]:
    try:
        return dict(current(settings).row_counts)
    except NotPublishedError:
        return {}


def _of_marts(validator: Validator, connection: duckdb.DuckDBPyConnection, published: dict[str, int]) -> list[Found]:
    columns = columns_of(connection)
    last = _last_whole_day(connection)
    measures: list[Measure] = []
    differing = [(mart, "", "no suite", "a mart") for mart in sorted(set(columns) - set(mart_suites()))]
    for suite in mart_suites().values():
        held = columns.get(suite.mart, {})
        differing += _differing(suite, held)
        if not held:
            continue
        least_and_greatest, rows = extremes(connection, suite, list(held))
        measures += _ranges(suite, least_and_greatest, rows)
        before = published.get(suite.mart, 0)
        left = rows / before if before >= _FEW_ROWS else None
        name = f"marts.{suite.mart}"
        usual = _to_usual(connection, suite, last)
        measures += [Measure(name, "rows", rows, least=0, rows=rows),
                     Measure(name, "rows_to_published", left, least=_LEAST_LEFT, rows=rows),
                     Measure(name, "rows_to_usual", usual, 0.5, 2, "warn", rows)]  # fmt: skip
        measures += [
            Measure(name, f"mix_of_{column}", _moved(connection, suite, column, last), None, SHIFTED, "warn", rows)
            for column in suite.shares
        ]
    return validator.validate("marts_columns_declared", _frame(differing), _DECLARED) + validator.validate_measures(
        measures
    )


def _ranges(suite: MartSuite, found: dict[str, tuple[float | None, float | None]], rows: int) -> list[Measure]:
    """An empty mart, or a column of NULLs, has no extremes to look at."""
    made = []
    for name, (least, greatest) in found.items():
        lower, upper = suite.ranges[name]
        made.append(Measure(f"marts.{suite.mart}", f"least {name}", least, least=lower, rows=rows))
        if upper is not None:
            made.append(Measure(f"marts.{suite.mart}", f"greatest {name}", greatest, greatest=upper, rows=rows))
    return made


_DECLARED: list[Given] = [
    {"expect": "column_values_to_be_in_set", "column": "missing_or_of_another_type", "value_set": [""]},
    {"expect": "column_values_to_be_in_set", "column": "not_declared", "value_set": [""], "severity": "warn"},
]


def _differing(suite: MartSuite, held: dict[str, str]) -> list[tuple[str, str, str, str]]:
    """(mart, column, as declared, as built) where they differ."""
    names = [*suite.columns, *(name for name in held if name not in suite.columns)]
    every = [(suite.mart, name, suite.columns.get(name, ""), held.get(name, "")) for name in names]
    return [each for each in every if each[2] != each[3]]


def _frame(differing: Sequence[tuple[str, str, str, str]]) -> pd.DataFrame:
    rows = [
        {
            "mart": mart,
            "column": column,
            "missing_or_of_another_type": f"{declared}, not {built or 'there'}" if declared and column else "",
            "not_declared": built if not declared or not column else "",
        }
        for mart, column, declared, built in differing
    ]
    return pd.DataFrame(rows or [dict.fromkeys(("mart", "column", "missing_or_of_another_type", "not_declared"), "")])


def _last_whole_day(connection: duckdb.DuckDBPyConnection) -> date | None:
    """The day before the latest one with a contact: that one may still grow."""
    ((latest,),) = connection.execute("select max(date_key) from marts.kpi_day where contacts > 0").fetchall()
    if not latest:
        return None
    return datetime.strptime(str(latest), "%Y%m%d").date() - timedelta(days=1)  # noqa: DTZ007 - a local day


def _key(day: date) -> int:
    return int(day.strftime("%Y%m%d"))


def _to_usual(connection: duckdb.DuckDBPyConnection, suite: MartSuite, last: date | None) -> float | None:
    """Rows of the last whole day against the same weekday of the weeks before."""
    if not suite.day or last is None:
        return None
    days = [_key(last - timedelta(weeks=week)) for week in range(_WEEKS + 1)]
    counts = counts_by_day(connection, suite, days)
    return ratio_to_usual(counts.get(days[0], 0), [counts[day] for day in days[1:] if day in counts])


def _moved(connection: duckdb.DuckDBPyConnection, suite: MartSuite, column: str, last: date | None) -> float | None:
    """How far the mix of a column's values moved in the last week."""
    if last is None:
        return None
    until = last + timedelta(days=1)
    between = until - timedelta(days=_MIX_DAYS)
    since = between - timedelta(days=_MIX_BEFORE)
    return stability(*mixes(connection, suite, column, _key(since), _key(between), _key(until)))

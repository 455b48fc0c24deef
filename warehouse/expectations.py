"""Great Expectations on small frames: a context without files, telemetry or progress bars, and what it found."""

import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

#: Sample rows kept per expectation that does not hold.
_SAMPLES = 5
#: Ours -> Great Expectations'.
_SEVERITIES = {"stop": "critical", "warn": "warning"}

#: One expectation as it is given: its kind without `expect_`, its arguments, `severity` (stop or warn).
Given = dict[str, Any]
#: One expectation as it was found; see `Validator.validate`.
Found = dict[str, Any]


@dataclass(frozen=True)
class Measure:
    """One observed number of a suite and what it must lie between (None: open); `rows` are those that it tells of."""

    suite: str
    name: str
    observed: float | None
    least: float | None = None
    greatest: float | None = None
    severity: str = "stop"
    rows: int = 0


class Validator:
    """An ephemeral context of Great Expectations."""

    def __init__(self) -> None:
        os.environ["GX_ANALYTICS_ENABLED"] = "False"
        import great_expectations as gx

        # This one module sets its own level.
        logging.getLogger("great_expectations.data_context.types.base").setLevel(logging.WARNING)
        from great_expectations.data_context.types.base import ProgressBarsConfig

        self._expectations = gx.expectations
        self._suite = gx.ExpectationSuite
        context = gx.get_context(mode="ephemeral")
        context.variables.progress_bars = ProgressBarsConfig(globally=False)
        asset = context.data_sources.add_pandas("frames").add_dataframe_asset("frame")
        # One for all frames: each addition would write the whole configuration anew.
        self._definition = asset.add_batch_definition_whole_dataframe("all")

    def validate(self, suite: str, rows: "pd.DataFrame", expectations: Sequence[Given]) -> list[Found]:
        """Check one suite on one frame.

        Returns:
            per expectation, as it stands in CURRENT.json and in the gates' history: `suite`, `expectation`, `columns`,
            `severity` (stop, warn), `holds`, `rows` of the frame, `observed`, and `samples` if it does not hold.
        """
        by_kind = self._results(suite, rows, expectations)
        return [
            _found(suite, each, by_kind[(f"expect_{each['expect']}", _columns(each))], rows) for each in expectations
        ]

    def _results(self, suite: str, rows: "pd.DataFrame", expectations: Sequence[Given]) -> dict[tuple[str, str], Any]:
        made = self._suite(name=suite, expectations=[self._expectation(each) for each in expectations])
        batch = self._definition.get_batch(batch_parameters={"dataframe": rows})
        checked = batch.validate(made, result_format="COMPLETE")
        return {
            (found.expectation_config.type, _columns(found.expectation_config.kwargs)): found
            for found in checked.results
        }

    def validate_measures(self, measures: Sequence[Measure]) -> list[Found]:
        """Check the numbers of many suites as one frame, a row a number: thousands cost what one costs.

        Measures without an observed value (an empty table, no history yet) say nothing and are left out.
        """
        import pandas as pd

        found = []
        for severity in _SEVERITIES:
            asked = [each for each in measures if each.severity == severity and each.observed is not None]
            if not asked:
                continue
            columns = ("observed", "least", "greatest")
            rows = pd.DataFrame([{name: getattr(each, name) for name in columns} for each in asked], dtype="float64")
            results = self._results(severity, rows, [given | {"severity": severity} for given in _BETWEEN])
            broken: set[int] = set()
            for result in results.values():
                if not result.success:
                    broken |= set(map(int, result.result["unexpected_index_list"]))
            found += [_of_measure(each, number not in broken) for number, each in enumerate(asked)]
        return found

    def _expectation(self, given: Given) -> Any:
        words = f"expect_{given['expect']}".split("_")
        kind = getattr(self._expectations, "".join(word.title() for word in words))
        arguments = {key: value for key, value in given.items() if key not in ("expect", "severity")}
        return kind(severity=_SEVERITIES[given.get("severity", "stop")], **arguments)


#: Each number between its bounds; a bound that is open is missing.
_BETWEEN: list[Given] = [
    {"expect": "column_pair_values_a_to_be_greater_than_b", "column_A": "observed", "column_B": "least",
     "or_equal": True, "ignore_row_if": "either_value_is_missing"},
    {"expect": "column_pair_values_a_to_be_greater_than_b", "column_A": "greatest", "column_B": "observed",
     "or_equal": True, "ignore_row_if": "either_value_is_missing"},
]  # fmt: skip


def _of_measure(measure: Measure, holds: bool) -> Found:
    bounds = {name: value for name in ("least", "greatest") if (value := getattr(measure, name)) is not None}
    return {
        "suite": measure.suite,
        "expectation": "expect_values_to_be_between",
        "columns": measure.name,
        "severity": measure.severity,
        "holds": holds,
        "rows": measure.rows,
        "observed": _plain(measure.observed),
        **bounds,
    }


def _columns(given: Any) -> str:
    return ", ".join(str(given[key]) for key in ("column", "column_A", "column_B") if key in given)


def _found(suite: str, given: Given, found: Any, rows: "pd.DataFrame") -> Found:
    entry: Found = {
        "suite": suite,
        "expectation": f"expect_{given['expect']}",
        "columns": _columns(given),
        "severity": given.get("severity", "stop"),
        "holds": bool(found.success),
        "rows": len(rows),
        "observed": _plain(found.result.get("observed_value")),
    }
    if not found.success:
        entry["samples"] = _samples(found, rows)
    return entry


def _plain(value: Any) -> Any:
    """A value that JSON can hold."""
    value = value.item() if hasattr(value, "item") else value
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)


def _samples(found: Any, rows: "pd.DataFrame") -> list[str]:
    raised = [error for error in _exceptions(found.exception_info or {}) if error]
    if raised:
        return [f"it could not be checked: {raised[0]}"]
    indices = found.result.get("unexpected_index_list") or []
    return [", ".join(f"{name}={value}" for name, value in rows.loc[index].items()) for index in indices[:_SAMPLES]]


def _exceptions(info: dict[str, Any]) -> list[str]:
    """Great Expectations tells of one exception, or of one a metric."""
    if "raised_exception" in info:
        return [str(info.get("exception_message"))] if info["raised_exception"] else []
    return [str(each.get("exception_message")) for each in info.values() if each.get("raised_exception")]


def told(found: Found) -> str:
    """An expectation that does not hold, in one line and its samples below."""
    head = f"{found['suite']}: {found['expectation']}({found['columns']})"
    bounds = ", ".join(f"{word} {found[name]:g}" for name, word in (("least", "at least"), ("greatest", "at most"))
                       if name in found)  # fmt: skip
    observed = "" if found["observed"] is None else f": {found['observed']}{f', not {bounds}' if bounds else ''}"
    return "\n    ".join([f"{head} is broken{observed}", *found.get("samples", [])])

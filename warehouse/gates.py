"""The gates before a publication: Great Expectations on small frames of the batch that came in and of the marts."""

import logging
import os
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from core.errors import GateFailedError, NotPublishedError
from core.settings import Settings
from warehouse.build import last_build
from warehouse.gate_frames import batch, frame, gate_connection, prepare_batch
from warehouse.publication import current

if TYPE_CHECKING:
    import pandas as pd

_FILE = Path(__file__).with_name("gates.yml")
#: Sample rows told per expectation that does not hold.
_SAMPLES = 5


def check(settings: Settings) -> list[dict[str, Any]]:
    """Check every gate; one entry an expectation, as it stands in CURRENT.json.

    Raises:
        GateFailedError: one or more do not hold; names each with sample rows.
    """
    results = []
    failures = []
    with gate_connection(settings) as connection:
        loads = batch(settings, _built_loads(settings), _published_snapshot(settings))
        prepare_batch(connection, settings, loads)
        parameters = {"snapshot_at": datetime.fromisoformat(loads[-1].snapshot_at)}
        validator = _Validator()
        for name, expectations in yaml.safe_load(_FILE.read_text(encoding="utf-8")).items():
            rows = frame(connection, name, parameters)
            for told, failure in validator.validate(name, rows, expectations):
                results.append(told)
                failures += [failure] if failure else []
    if failures:
        raise GateFailedError(
            "A gate does not hold; nothing was published:\n  " + "\n  ".join(failures),
            "Mend the rows at their source, then: crm pipeline. Readers go on seeing the last publication.",
        )
    return results


def _built_loads(settings: Settings) -> list[str]:
    built = last_build(settings)
    return built.loads if built else []


def _published_snapshot(settings: Settings) -> datetime | None:
    try:
        return current(settings).loaded_at
    except NotPublishedError:
        return None


class _Validator:
    """An ephemeral context of Great Expectations: no files, no telemetry, no progress bars."""

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
        self._source = context.data_sources.add_pandas("frames")

    def validate(
        self, name: str, rows: "pd.DataFrame", expectations: list[dict[str, Any]]
    ) -> list[tuple[dict[str, Any], str]]:
        """Per expectation what CURRENT.json tells of it, and the failure in words (empty: it holds)."""
        definition = self._source.add_dataframe_asset(name).add_batch_definition_whole_dataframe("all")
        suite = self._suite(name=name, expectations=[self._expectation(each) for each in expectations])
        checked = definition.get_batch(batch_parameters={"dataframe": rows}).validate(suite, result_format="COMPLETE")
        by_kind = {
            (found.expectation_config.type, _columns(found.expectation_config.kwargs)): found
            for found in checked.results
        }
        told = []
        for each in expectations:
            found = by_kind[(f"expect_{each['expect']}", _columns(each))]
            entry = {
                "frame": name,
                "expectation": f"expect_{each['expect']}",
                "columns": _columns(each),
                "holds": bool(found.success),
                "rows": len(rows),
            }
            told.append((entry, "" if found.success else _failure(entry, found, rows)))
        return told

    def _expectation(self, given: dict[str, Any]) -> Any:
        words = f"expect_{given['expect']}".split("_")
        kind = getattr(self._expectations, "".join(word.title() for word in words))
        return kind(**{key: value for key, value in given.items() if key != "expect"})


def _columns(given: Any) -> str:
    return ", ".join(str(given[key]) for key in ("column", "column_A", "column_B") if key in given)


def _failure(entry: dict[str, Any], found: Any, rows: "pd.DataFrame") -> str:
    head = f"{entry['frame']}: {entry['expectation']}({entry['columns']})"
    if found.exception_info and found.exception_info.get("raised_exception"):
        return f"{head} could not be checked: {found.exception_info.get('exception_message')}"
    indices = found.result.get("unexpected_index_list") or []
    samples = [_row(rows, index) for index in indices[:_SAMPLES]]
    return "\n    ".join([f"{head} is broken by {found.result.get('unexpected_count')} of {len(rows)} rows", *samples])


def _row(rows: "pd.DataFrame", index: Any) -> str:
    return ", ".join(f"{name}={value}" for name, value in rows.loc[index].items())

"""How fast each dashboard page's own queries answer: the pages run as they are, without a server or a browser."""

import logging
import os
import random
import statistics
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any
from unittest.mock import patch

import duckdb
import pandas as pd

import dashboards
from core.scope import Scope
from core.settings import get_settings
from warehouse import reader
from warehouse.publication import Publication
from warehouse.reader import Reader

Row = dict[str, object]

VIEWS = Path(dashboards.__file__).parent / "views"
#: The wallboard asks the CRM, not the marts.
PAGES = tuple(sorted({path.stem for path in VIEWS.glob("[a-z]*.py")} - {"wallboard"}))
FIRST_PAGE = "overview"
PERIODS = ("last_7_days", "last_28_days", "last_90_days", "this_month", "last_month", "all")
CITIES = (None, "xian", "baoji", "yulin", "hanzhong")
REPEATS = 20
#: A chosen view is the same in every run, so that runs compare.
SEED = 1


def page_rows(home: Path, size: str) -> list[Row]:
    """Rows of p50 and p95 for each page of what `home` has published; `size` names it in the rows.

    Each view is of another period and city, and asks all of the page's queries anew; for the first one the reader
    opens the file. What a page remembers between reruns costs nothing and is left out.
    """
    with _installation(home):
        return [row for page in PAGES for row in _page(page, size)]


@contextmanager
def _installation(home: Path) -> Iterator[None]:
    """This process's settings are those of `home`."""
    before = os.environ.get("CRM_HOME")
    os.environ["CRM_HOME"] = str(home)
    os.environ.setdefault("CRM_DASHBOARD_SCOPE", "province")
    get_settings.cache_clear()
    # Without a server Streamlit warns at every run that it remembers answers in memory.
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)
        del os.environ["CRM_HOME"]
        if before is not None:
            os.environ["CRM_HOME"] = before
        get_settings.cache_clear()


def _page(page: str, size: str) -> Iterator[Row]:
    chooser = random.Random(SEED)
    visitor = _Visitor(page)
    first = visitor.see({"period": "last_28_days"}, is_cold=True)
    runs = []
    for _ in range(REPEATS):
        city = chooser.choice(CITIES)
        runs.append(visitor.see({"period": chooser.choice(PERIODS)} | ({"city": city} if city else {})))
    queries = [run.milliseconds for run in runs]
    note = f"{runs[0].queries} queries, {REPEATS} views of other periods and cities"
    yield _row(page, "queries p50", statistics.median(queries), size, note)
    yield _row(page, "queries p95", statistics.quantiles(queries, n=20, method="inclusive")[-1], size)
    yield _row(page, "queries of the first view", first.milliseconds, size, "the file is opened anew")
    whole = statistics.median(run.whole_milliseconds for run in runs)
    yield _row(page, "whole page p50", whole, size, "queries, tables and charts, nothing remembered")


def _row(page: str, name: str, value: float, size: str, note: str = "") -> Row:
    return {"name": f"page {page}, {name} at {size}", "value": value, "unit": "ms", "aim": "", "note": note}


@dataclass
class _Shown:
    """One run of a page: how many its queries were, how long they took with opening the file, and the whole page."""

    queries: int = 0
    milliseconds: float = 0.0
    whole_milliseconds: float = 0.0


class _Visitor:
    """Somebody who looks at one page again and again."""

    def __init__(self, page: str) -> None:
        from streamlit.testing.v1 import AppTest

        self.page = page
        self._app = AppTest.from_file(str(VIEWS.parent / "app.py"), default_timeout=600)
        self._app.run()
        if page != FIRST_PAGE:
            self._app.switch_page(f"views/{page}.py").run()

    def see(self, params: Mapping[str, str], *, is_cold: bool = False) -> _Shown:
        """Run the page with these parameters in its address and nothing remembered, `is_cold`: no reader open.

        Raises:
            RuntimeError: the page fails or asks nothing.
        """
        import streamlit as st

        app = self._app
        app.query_params.clear()
        for name, value in params.items():
            app.query_params[name] = value
        st.cache_data.clear()
        if is_cold:
            reader._readers.clear()
        shown = _Shown()
        with _timed_queries(shown):
            began = perf_counter()
            app.run()
            shown.whole_milliseconds = (perf_counter() - began) * 1000
        if app.exception or not shown.queries:
            failed = [each.value for each in app.exception]
            raise RuntimeError(f"the page {self.page} with {dict(params)} failed: {failed}")
        return shown


@contextmanager
def _timed_queries(shown: _Shown) -> Iterator[None]:
    """Every query of every reader is counted and timed, and every opening of one timed."""
    plain_rows, plain_open = Reader.rows, reader._open

    def rows(asked: Reader, sql: str, params: Mapping[str, Any] | None = None) -> pd.DataFrame:
        shown.queries += 1
        with _timed(shown):
            return plain_rows(asked, sql, params)

    def opened(publication: Publication, scope: Scope) -> duckdb.DuckDBPyConnection:
        with _timed(shown):
            return plain_open(publication, scope)

    with patch.object(Reader, "rows", rows), patch.object(reader, "_open", opened):
        yield


@contextmanager
def _timed(shown: _Shown) -> Iterator[None]:
    began = perf_counter()
    try:
        yield
    finally:
        shown.milliseconds += (perf_counter() - began) * 1000

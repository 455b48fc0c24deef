"""Read connections to published marts, each already limited to what its reader may see."""

import threading
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from core.errors import BadInputError, NotPublishedError
from core.scope import PROVINCE, Scope
from core.settings import TIME_ZONE, get_settings
from warehouse.export import SCHEMA, literal, mart_names, quoted, whole_size
from warehouse.publication import Publication

#: Marts without persons or figures: a city's reader needs them to read its own rows (calls are answered elsewhere).
_SHARED = frozenset({"dim_branch", "dim_agent", "dim_seat"})
#: Readers kept open; an older one closes when nobody holds it any more.
_KEPT = 24

_readers: OrderedDict[tuple[str, Path, Scope], "Reader"] = OrderedDict()
_readers_lock = threading.Lock()


class Reader:
    """Queries on one publication within one scope; safe to share between threads.

    The connection is an in-memory database that attaches the published file read-only. Its search path holds one
    view a mart, filtered by `city_code`, so that a page's SQL carries no scope clause; a query that names the
    attached file itself is refused before it runs.
    """

    def __init__(self, publication: Publication, scope: Scope) -> None:
        self.publication = publication
        self.scope = scope
        self._lock = threading.Lock()
        self._checked: set[str] = set()
        self._columns: dict[str, frozenset[str]] = {}
        self._texts: dict[str, tuple[str, ...]] = {}
        self._connection = _open(publication, scope)

    @property
    def run_id(self) -> str:
        """The publication's run; part of every cache key of a page."""
        return self.publication.run_id

    def rows(self, sql: str, params: Mapping[str, Any] | None = None) -> pd.DataFrame:
        """The result of one SELECT; `$name` in it takes `params["name"]`. Instants come in Asia/Shanghai.

        Args:
            sql: the text of the query, or the path of an .sql file as text.
            params: values of its named parameters.

        Raises:
            BadInputError: not a single SELECT, or one that reaches past the marts' views.
        """
        text = Path(sql).read_text(encoding="utf-8") if sql.endswith(".sql") else sql
        # A connection must not be shared between threads; a cursor is a connection of its own.
        with self._lock:
            cursor = self._connection.cursor()
        with cursor:
            self._check(cursor, text)
            result: pd.DataFrame = cursor.execute(text, dict(params or {})).df()
        return result

    def columns(self, mart: str) -> frozenset[str]:
        """The columns of a mart."""
        if mart not in self._columns:
            with self._lock:
                cursor = self._connection.cursor()
            with cursor:
                described = cursor.execute(" ".join(["describe", quoted(mart)])).fetchall()
            self._columns[mart] = frozenset(str(row[0]) for row in described)
        return self._columns[mart]

    def texts(self, sql: str) -> tuple[str, ...]:
        """The values of a query of one text column, asked once: what is published never changes."""
        if sql not in self._texts:
            column = self.rows(sql).iloc[:, 0].dropna()
            self._texts[sql] = tuple(str(value) for value in column)
        return self._texts[sql]

    def _check(self, cursor: duckdb.DuckDBPyConnection, text: str) -> None:
        if text not in self._checked:
            require_views_only(cursor, text)
            self._checked.add(text)

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()


def require_views_only(cursor: duckdb.DuckDBPyConnection, text: str) -> None:
    """BadInputError unless `text` is one SELECT whose tables are named without catalogue or schema."""
    import json

    ((tree,),) = cursor.execute("select json_serialize_sql($text)", {"text": text}).fetchall()
    parsed = json.loads(tree)
    if parsed.get("error"):
        raise BadInputError(f"Not a query of the marts: {parsed.get('error_message', 'unreadable')}")
    if len(parsed["statements"]) != 1:
        raise BadInputError("A query of the marts is one SELECT.")
    _walk(parsed["statements"])


_FUNCTIONS = frozenset({"range", "generate_series", "unnest"})


def _walk(node: Any) -> None:
    if isinstance(node, list):
        for item in node:
            _walk(item)
    elif isinstance(node, dict):
        if node.get("type") == "BASE_TABLE" and (node.get("catalog_name") or node.get("schema_name")):
            raise BadInputError(
                f"The query names {node.get('catalog_name') or node['schema_name']}.{node['table_name']}.",
                "Name marts alone, e.g. fct_contact.",
            )
        if node.get("type") == "TABLE_FUNCTION" and node["function"].get("function_name") not in _FUNCTIONS:
            raise BadInputError(f"The query calls {node['function'].get('function_name')}, which reads past the marts.")
        for value in node.values():
            _walk(value)


def _view(connection: duckdb.DuckDBPyConnection, name: str, scope: Scope) -> str:
    table = f"published.{SCHEMA}.{quoted(name)}"
    columns = {row[0] for row in connection.execute(f"describe {table}").fetchall()}
    head = ["create view", quoted(name), "as select *"]
    if scope.is_province or "city_code" not in columns:
        return " ".join([*head, "from", table])
    city = literal(str(scope.city_code))
    if name in _SHARED:
        return " ".join([*head, "from", table])
    return " ".join([*head, "from", table, "where city_code =", city])


def _open(publication: Publication, scope: Scope) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(":memory:", config={"threads": get_settings().duckdb_threads})
    try:
        connection.execute(f"set TimeZone = {literal(TIME_ZONE)}")
        connection.execute(f"attach {literal(publication.file)} as published (read_only)")
        _require_whole(connection, publication.file)
        for name in mart_names(connection, "published"):
            connection.execute(_view(connection, name, scope))
        connection.execute("set enable_external_access = false")
        connection.execute("set lock_configuration = true")
    except (OSError, duckdb.Error) as error:
        connection.close()
        what = "is damaged" if publication.file.exists() else "is gone"
        raise NotPublishedError(
            f"The publication {publication.run_id} {what}: {error}",
            "Try again if a newer one was published meanwhile; else: crm doctor says how to mend it.",
        ) from error
    return connection


def _require_whole(connection: duckdb.DuckDBPyConnection, file: Path) -> None:
    """OSError if the file is shorter than its own table of contents says: queries would fail where it was cut."""
    whole, there = whole_size(connection, "published"), file.stat().st_size
    if there < whole:
        raise OSError(f"{file} is cut: {there:,} of {whole:,} bytes")


def why_unreadable(publication: Publication) -> str | None:
    """What is wrong with a publication's file, in words; None: it opens, is whole and holds its marts."""
    try:
        connection = _open(publication, PROVINCE)
    except NotPublishedError as error:
        return error.message
    with connection:
        missing = set(publication.row_counts) - {
            str(name) for (name,) in connection.execute("select view_name from duckdb_views()").fetchall()
        }
    return f"{publication.file} lacks {', '.join(sorted(missing))}" if missing else None


def open_reader(publication: Publication, scope: Scope) -> Reader:
    """The reader of a publication within a scope; opened once, then shared.

    Raises:
        NotPublishedError: the publication's file is gone (it was replaced and pruned).
    """
    key = (publication.run_id, publication.file, scope)
    with _readers_lock:
        if key not in _readers:
            _readers[key] = Reader(publication, scope)
            while len(_readers) > _KEPT:
                # Not closed here: a query may still run on it; it closes when the last reference goes.
                _readers.popitem(last=False)
        _readers.move_to_end(key)
        return _readers[key]

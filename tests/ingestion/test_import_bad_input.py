"""What is wrong with a file or a mapping is told in words, and the rest of the file loads."""

import csv
import json
import shutil
import sqlite3
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result
from sqlalchemy import text

from core.database import make_engine
from core.errors import CrmError
from core.settings import Settings
from ingestion.commands import import_

HEADER = "id,start,end,result,agent,city"
GOOD = "1,2026-03-02 09:00:00,2026-03-02 09:05:00,ok,Li,xian"


def _mapping(**changes: Any) -> dict[str, Any]:
    return {
        "source": "other",
        "kind": "calls",
        "time_zone": "Asia/Shanghai",
        "key": ["id"],
        "calls": {
            "started_at": "start",
            "ended_at": "end",
            "outcome": {"column": "result", "values": {"ok": "answered", "lost": "abandoned"}},
            "agent": "agent",
            "unit": {"column": "city", "reason": "unknown city/state"},
        },
    } | changes


@pytest.fixture
def ready(home: Settings, sqlite_template: Path) -> Settings:
    """A home with a migrated SQLite store."""
    store = home.home / "store" / "crm.sqlite"
    store.parent.mkdir(parents=True)
    shutil.copy(sqlite_template, store)
    return home


class Centre:
    """Another centre's file and mapping in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "calls.csv"

    def run(self, content: str | bytes | None, *options: str, mapping: Any = None, kind: str = "calls") -> Result:
        """Import `content`; the command's result."""
        if isinstance(content, str):
            content = content.encode()
        if content is not None:
            self.file.write_bytes(content)
        path = self.folder / "mapping.yml"
        given = mapping if isinstance(mapping, str) else yaml.safe_dump(mapping or _mapping(), allow_unicode=True)
        path.write_text(given, encoding="utf-8")
        return CliRunner().invoke(import_, [kind, str(self.file), "--mapping", str(path), *options])

    def error(self, content: str | bytes | None, *options: str, **settings: Any) -> str:
        """The message of the refusal."""
        result = self.run(content, *options, **settings)
        assert isinstance(result.exception, CrmError), (result.output, result.exc_info)
        return str(result.exception)

    def summary(self, content: str | bytes, *options: str, status: int = 0, **settings: Any) -> dict[str, Any]:
        """The JSON summary of an import that ended with `status`."""
        result = self.run(content, *options, "--json", **settings)
        assert result.exit_code == status, result.output
        found: dict[str, Any] = json.loads(result.stdout)
        return found


@pytest.fixture
def centre(ready: Settings, tmp_path: Path) -> Centre:
    """Another centre, whose file is imported into a fresh store."""
    return Centre(tmp_path)


def _count(table: str) -> int:
    with make_engine().connect() as connection:
        return int(connection.execute(text(f"SELECT COUNT(*) FROM {table}")).scalar_one())


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"sauce": "x"}, "sauce: this key is not known here. Did you mean source?"),
        ({"time_zone": "Asia/Xian"}, "time_zone: 'Asia/Xian' is not a time zone"),
        ({"kind": "chats"}, "kind: 'chats'"),
        ({"key": []}, "key: "),
        ({"kind": "tickets"}, "so the block tickets: is needed"),
        ({"source": "Other Centre"}, "source: 'Other Centre'"),
    ],
)
def test_a_wrong_key_of_the_mapping_is_named(centre: Centre, change: dict[str, Any], told: str) -> None:
    assert told in centre.error(f"{HEADER}\n{GOOD}\n", mapping=_mapping(**change))
    assert _count("contacts") == 0


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"outcome": None}, "calls.outcome"),
        ({"outcome": {"column": "result", "constant": "answered"}}, "give exactly one of column"),
        ({"outcome": {"column": "result", "vallues": {}}}, "calls.outcome.vallues: this key is not known here"),
        ({"outcome": {"column": "result", "patterns": [{"match": "(", "value": "x"}]}}, "not a regular expression"),
        ({"started_at": {"column": "start", "formats": ["dd.mm"]}}, "calls.started_at.formats.0: 'dd.mm' is neither"),
        ({"started_at": {"time": "start"}}, "add date"),
        ({"talk": {"start": "start"}}, "give end or seconds"),
        ({"talk": {"seconds": {"column": "end", "unit": "hours"}}}, "calls.talk.seconds.unit: 'hours'"),
        ({"outcome": {"constant": "blocked"}}, "block_reason"),
        # Known only to the store, and still before a row is read.
        ({"outcome": {"column": "result", "values": {"ok": "won"}}}, "calls.outcome gives 'won', which does not exist"),
        ({"channel": {"constant": "pigeon"}}, "calls.channel gives 'pigeon'"),
        ({"unit": {"constant": "atlantis"}}, "Known: ankang"),
    ],
)
def test_a_wrong_field_of_the_mapping_is_named(centre: Centre, change: dict[str, Any], told: str) -> None:
    mapping = _mapping()
    mapping["calls"] |= change
    mapping["calls"] = {name: value for name, value in mapping["calls"].items() if value is not None}
    assert told in centre.error(f"{HEADER}\n{GOOD}\n", mapping=mapping)
    assert _count("contacts") == 0


@pytest.mark.parametrize(
    ("content", "told"),
    [("- a\n- b\n", "not a list of keys"), ("a: [", "not YAML"), ("source: x\nsource: y\n", "written twice")],
)
def test_a_mapping_that_is_no_mapping_is_refused(centre: Centre, content: str, told: str) -> None:
    assert told in centre.error(GOOD, mapping=content)


def test_a_mapping_of_the_other_kind_is_refused(centre: Centre) -> None:
    assert "is for calls, not tickets" in centre.error(f"{HEADER}\n{GOOD}\n", kind="tickets")


def test_missing_columns_are_listed_with_those_there_are(centre: Centre) -> None:
    told = centre.error("id,began,end,result,agent,city\n")
    assert "'start' (for calls.started_at)" in told
    assert "The file has: id, began, end, result, agent, city" in told


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "is empty"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\1\0", "binary file"),
        (b"%PDF-1.7 ...", "is a PDF"),
        (b"\x1f\x8b\x08\0abc", "gzip"),
        (b"id,id\n1,2\n", "names a column twice: id"),
        (b"\n1,2\n", "no header"),
    ],
)
def test_a_file_that_is_no_table_is_refused(centre: Centre, content: bytes, told: str) -> None:
    assert told in centre.error(content)


def test_a_missing_file_and_a_folder_are_refused(centre: Centre) -> None:
    assert "There is no file" in centre.error(None)
    centre.file.mkdir()
    assert "cannot be read" in centre.error(None)


def test_a_header_without_rows_loads_nothing_and_says_so(centre: Centre) -> None:
    assert centre.summary(f"{HEADER}\n", status=1)["read"] == 0
    assert "a header and no rows" in centre.run(f"{HEADER}\n").output


def test_nothing_loaded_is_status_1_and_some_is_0(centre: Centre) -> None:
    bad = "2,yesterday,2026-03-02 09:05:00,ok,Li,xian"
    assert centre.summary(f"{HEADER}\n{bad}\n", status=1)["rejected"] == 1
    assert centre.summary(f"{HEADER}\n{bad}\n{GOOD}\n", status=0)["loaded"] == 1
    assert centre.summary(f"{HEADER}\n{GOOD}\n", status=0)["already_there"] == 1


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("2,2026-03-02 09:00:00,2026-03-02 08:59:59,ok,Li,xian", "the call ends before it starts"),
        ("2,02.03.2026,2026-03-02 09:05:00,ok,Li,xian", "started_at is not a time in the mapping's formats"),
        ("2,,2026-03-02 09:05:00,ok,Li,xian", "started_at is empty"),
        ("2,2226-03-02 09:00:00,2226-03-02 09:05:00,ok,Li,xian", "started_at is not between 1970 and 2100"),
        ("2,2026-03-02 09:00:00,2026-03-02 09:05:00,maybe,Li,xian", "outcome is not in the mapping"),
        ("2,2026-03-02 09:00:00,2026-03-02 09:05:00,,Li,xian", "outcome is empty"),
        ("2,2026-03-02 09:00:00,2026-03-02 09:05:00,ok,Li,atlantis", "unknown city/state"),
        ("1,2026-03-02 09:10:00,2026-03-02 09:15:00,ok,Li,xian", "the key occurs twice in the file"),
        (",2026-03-02 09:00:00,2026-03-02 09:05:00,ok,Li,xian", "the key (id) is empty"),
        ("2,2026-03-02 09:00:00,2026-03-02 09:05:00,ok", "row has 4 fields, the header 6"),
        ("2,2026-03-02 09:00:00,2026-03-02 09:05:00,ok,Li,xian,more", "row has 7 fields, the header 6"),
        ('2,2026-03-02 09:00:00,2026-03-02 09:05:00,ok,"L"i,xian', "row is not well-formed CSV"),
        (f"2,2026-03-02 09:00:00,2026-03-02 09:05:00,ok,{'L' * 51},xian", "agent is longer than 50 characters"),
        ("2,2026-03-02 09:00:00,2026-03-02 09:05:00,ok,L\0i,xian", "row holds a zero character"),
    ],
)
def test_a_bad_row_is_refused_with_its_reason_and_the_rest_loads(centre: Centre, row: str, reason: str) -> None:
    after = "3,2026-03-02 10:00:00,2026-03-02 10:05:00,lost,,baoji"
    options = ("--encoding", "utf-8") if "\0" in row else ()
    summary = centre.summary(f"{HEADER}\n{GOOD}\n{row}\n{after}\n", *options)
    assert (summary["read"], summary["loaded"], summary["rejected"]) == (3, 2, 1)
    assert next(iter(summary["reasons"])).startswith(reason)
    with Path(summary["rejected_file"]).open(encoding="utf-8-sig", newline="") as file:
        kept = list(csv.reader(file))
    assert kept[0][:2] == ["line", "reason"]
    assert kept[1][0] == "3"
    assert kept[1][1].startswith(reason)
    assert _count("import_rejects") == 1
    # Again: the same, and nothing twice.
    again = centre.summary(f"{HEADER}\n{GOOD}\n{row}\n{after}\n", *options)
    assert (again["loaded"], again["already_there"], again["rejected"]) == (0, 2, 1)
    assert (_count("import_rejects"), _count("contacts")) == (1, 2)


def test_a_repeated_key_is_found_across_batches(centre: Centre, monkeypatch: pytest.MonkeyPatch) -> None:
    from ingestion.imports import run

    monkeypatch.setattr(run.import_file, "__kwdefaults__", run.import_file.__kwdefaults__ | {"batch_size": 2})
    rows = [f"{number % 7},2026-03-02 09:00:00,2026-03-02 09:05:00,ok,Li,xian" for number in range(20)]
    summary = centre.summary("\n".join([HEADER, *rows, ""]))
    assert (summary["loaded"], summary["rejected"]) == (7, 13)
    assert _count("import_rejects") == 13
    with make_engine().connect() as connection:
        reason = connection.execute(text("SELECT reason FROM import_rejects WHERE line = 21")).scalar_one()
    assert "first on line 7" in reason


def test_a_time_that_never_came_is_refused(centre: Centre) -> None:
    row = "1,2010-03-26 02:30:00,2010-03-26 03:05:00,ok,Li,xian"
    summary = centre.summary(f"{HEADER}\n{row}\n", mapping=_mapping(time_zone="Asia/Jerusalem"), status=1)
    assert next(iter(summary["reasons"])).startswith("started_at never came")


def test_a_cut_last_line_is_refused_and_a_missing_line_end_is_told(centre: Centre) -> None:
    summary = centre.summary(f"{HEADER}\n{GOOD}\n2,2026-03-02 09:00")
    assert summary["loaded"] == 1
    assert next(iter(summary["reasons"])).startswith("the last line is cut: 2 fields")
    assert "no line end" in centre.summary(f"{HEADER}\n{GOOD}")["warnings"][0]


def test_a_quote_that_never_closes_takes_no_good_row_along(centre: Centre) -> None:
    summary = centre.summary(f'{HEADER}\n{GOOD}\n2,2026-03-02 09:00:00,2026-03-02 09:05:00,ok,"Li,xian\n')
    assert (summary["loaded"], summary["rejected"]) == (1, 1)


CHINESE = "7,2026-03-02 09:00:00,2026-03-02 09:05:00,ok,王小明座席员,xian"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le", "utf-16-be"])
def test_the_encoding_is_found_out(centre: Centre, encoding: str) -> None:
    rows = "\n".join([HEADER, GOOD, CHINESE.replace("7,", "8,"), CHINESE, ""])
    assert centre.summary(rows.encode(encoding))["loaded"] == 3
    with make_engine().connect() as connection:
        assert "王小明座席员" in connection.execute(text("SELECT name FROM agents")).scalars().all()


def test_latin_1_is_found_out_and_can_be_named(centre: Centre) -> None:
    rows = f"{HEADER}\n{GOOD.replace('Li', 'José Peña')}\n"
    assert centre.summary(rows.encode("latin-1"))["loaded"] == 1
    assert centre.summary(rows.encode("latin-1"), "--encoding", "latin-1")["already_there"] == 1
    with make_engine().connect() as connection:
        assert connection.execute(text("SELECT name FROM agents")).scalars().all() == ["José Peña"]


def test_a_wrong_encoding_is_told_with_byte_and_line(centre: Centre) -> None:
    rows = "\n".join([HEADER, GOOD, CHINESE, ""])
    told = centre.error(rows.encode("gb18030"), "--encoding", "utf-8")
    position = rows.encode("gb18030").index("王".encode("gb18030"))
    assert f"at position {position} (line 3)" in told
    assert "It reads as gb18030" in told
    assert _count("contacts") == 0


@pytest.mark.parametrize("encoding", ["latin-1", "gb18030", "cp1252"])
def test_characters_are_never_garbled_silently(centre: Centre, encoding: str) -> None:
    rows = "\n".join([HEADER, GOOD, CHINESE, ""])
    told = centre.error(rows.encode(), "--encoding", encoding)
    assert "Use --encoding utf-8" in told or "It reads as utf-8" in told
    assert _count("contacts") == 0


def test_an_unknown_encoding_and_a_damaged_file_are_refused(centre: Centre) -> None:
    assert "'klingon' is not known" in centre.error(f"{HEADER}\n{GOOD}\n", "--encoding", "klingon")
    damaged = "\ufeff".encode() + f"{HEADER}\n{GOOD}\n".encode() + b"\xff\xfe\n"
    assert "line 3" in centre.error(damaged)


def test_the_rejected_file_is_safe_to_open_in_a_spreadsheet(centre: Centre) -> None:
    row = "2,2026-03-02 09:00:00,2026-03-02 09:05:00,=cmd|' /C calc'!A0,@SUM(A1),-xian"
    summary = centre.summary(f"{HEADER}\n{GOOD}\n{row}\n")
    with Path(summary["rejected_file"]).open(encoding="utf-8-sig", newline="") as file:
        cells = list(csv.reader(file))[1]
    assert cells[5:] == ["'=cmd|' /C calc'!A0", "'@SUM(A1)", "'-xian"]
    with make_engine().connect() as connection:
        raw = connection.execute(text("SELECT raw FROM import_rejects")).scalar_one()
    assert json.loads(raw)["agent"] == "@SUM(A1)"


def test_a_mended_row_loads_and_its_refusal_is_struck_out(centre: Centre) -> None:
    centre.summary(f"{HEADER}\n{GOOD.replace('xian', 'atlantis')}\n", status=1)
    assert centre.summary(f"{HEADER}\n{GOOD}\n")["loaded"] == 1
    with make_engine().connect() as connection:
        assert connection.execute(text("SELECT deleted_at FROM import_rejects")).scalar_one() is not None


def _workbook(path: Path, rows: list[list[Any]]) -> None:
    from openpyxl import Workbook

    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(row)
    book.create_sheet("other").append(["nothing"])
    book.save(path)


def test_a_workbook_with_real_dates_imports(centre: Centre) -> None:
    from datetime import datetime

    rows: list[list[Any]] = [HEADER.split(",")]
    rows += [
        [7, datetime(2026, 3, 2, 9, 0), datetime(2026, 3, 2, 9, 5), "ok", "王小明", "xian"],  # noqa: DTZ001 - a workbook knows no zones
        ["8", "2026-03-02 09:00:00", "2026-03-02 08:00:00", "ok", "Li", "xian"],
    ]
    _workbook(centre.file, rows)
    content = centre.file.read_bytes()
    summary = centre.summary(content)
    assert (summary["loaded"], summary["reasons"]) == (1, {"the call ends before it starts": 1})
    with make_engine().connect() as connection:
        found = connection.execute(text("SELECT external_id, started_at FROM contacts")).one()
    assert found[0] == "other:7"
    assert str(found[1]).startswith("2026-03-02 01:00:00")
    assert "has no sheet 'none'" in centre.error(content, "--sheet", "none")
    assert "lacks columns" in centre.error(content, "--sheet", "other")


def test_a_sheet_of_a_text_file_is_refused(centre: Centre) -> None:
    assert "is a text file and has no sheet 'Calls'" in centre.error(f"{HEADER}\n{GOOD}\n", "--sheet", "Calls")


def test_a_cut_workbook_is_refused(centre: Centre, tmp_path: Path) -> None:
    _workbook(centre.file, [HEADER.split(","), GOOD.split(",")])
    content = centre.file.read_bytes()
    assert "is not a whole workbook" in centre.error(content[: len(content) // 2])
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("a.txt", "a")
    assert "is not a whole workbook" in centre.error((tmp_path / "x.zip").read_bytes())


def test_a_missing_store_is_told(home: Settings, tmp_path: Path) -> None:
    assert "crm init" in Centre(tmp_path).error(f"{HEADER}\n{GOOD}\n")


def test_a_locked_store_is_told(centre: Centre, ready: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    from core import database

    def impatient(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA busy_timeout = 50")

    monkeypatch.setattr(database, "_tune_sqlite", impatient)
    other = sqlite3.connect(ready.home / "store" / "crm.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        told = centre.error(f"{HEADER}\n{GOOD}\n")
    finally:
        other.execute("ROLLBACK")
        other.close()
    assert "locked" in told
    assert "wait for it to end" in told

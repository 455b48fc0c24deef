"""The rows of a foreign file, a batch at a time, each with its line: CSV by the csv module, workbooks by calamine."""

import csv
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from core.errors import BadInputError
from ingestion.imports.encoding import check_encoding, detect_encoding

_DELIMITERS = (",", ";", "\t", "|")
_ZIP, _OLD_OFFICE = b"PK", b"\xd0\xcf\x11\xe0"
_BINARY = {b"%PDF": "a PDF", b"\x1f\x8b": "a gzip archive", b"Rar!": "a RAR archive", b"7z\xbc\xaf": "a 7z archive"}
#: A field longer than this is a quote that was never closed.
_LONGEST_FIELD = 1_000_000


@dataclass
class Rows:
    """Some rows as read: texts of the header's width, the line each begins on, and why a row is unreadable."""

    cells: list[list[str]] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    faults: dict[int, str] = field(default_factory=dict)
    originals: dict[int, list[str]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.lines)

    def add_faulty(self, cells: list[str], line: int, width: int, fault: str) -> None:
        """Take in a row that cannot be read, as it was; its columns hold what of it there is."""
        self.faults[len(self)] = fault
        self.originals[len(self)] = cells
        self.cells.append((cells + [""] * width)[:width])
        self.lines.append(line)


@dataclass(frozen=True)
class Source:
    """An opened file: what it is, its columns, and its rows."""

    path: Path
    encoding: str
    delimiter: str
    header: list[str]
    digest: str
    lines: int
    is_ended: bool
    sheet: str | None = None

    @property
    def is_workbook(self) -> bool:
        """Whether cells may hold real dates and numbers."""
        return self.sheet is not None

    def batches(self, size: int) -> Iterator[Rows]:
        """The rows after the header, up to `size` at a time; blank lines are passed over."""
        rows, width = Rows(), len(self.header)
        read = _sheet_rows(self) if self.is_workbook else _text_rows(self)
        for cells, line, fault in read:
            if fault is None and len(cells) == width:
                if not any(cells):
                    continue
                rows.cells.append(cells)
                rows.lines.append(line)
            elif cells:
                rows.add_faulty(cells, line, width, fault or f"row has {len(cells)} fields, the header {width}")
            if len(rows.lines) == size:
                yield rows
                rows = Rows()
        if len(rows):
            yield rows


class _Lines:
    """A text file's lines; the last one read is at hand to be shown."""

    def __init__(self, file: Iterable[str]) -> None:
        self.file = file
        self.last = ""

    def __iter__(self) -> Iterator[str]:
        for line in self.file:
            self.last = line
            yield line


def _text_rows(source: Source) -> Iterator[tuple[list[str], int, str | None]]:
    csv.field_size_limit(_LONGEST_FIELD)
    width = len(source.header)
    with source.path.open(encoding=source.encoding, newline="") as file:
        lines = _Lines(file)
        reader = csv.reader(lines, delimiter=source.delimiter, strict=True)
        next(reader)
        while True:
            start = reader.line_num + 1
            try:
                cells = next(reader)
            except StopIteration:
                break
            except csv.Error as error:
                yield [lines.last.rstrip("\r\n")], start, f"row is not well-formed CSV: {error}"
                continue
            fault = "row holds a zero character" if "\0" in lines.last else None
            if len(cells) < width and not source.is_ended and not lines.last.endswith(("\n", "\r")):
                fault = f"the last line is cut: {len(cells)} fields, the header has {width}"
            yield cells, start, fault


def _sheet_rows(source: Source) -> Iterator[tuple[list[str], int, str | None]]:
    from ingestion.imports.workbook import sheet_rows

    rows = sheet_rows(source.path, source.sheet)
    next(rows)
    for line, cells in rows:
        yield cells, line, None


def _look_through(path: Path) -> tuple[str, int, bool]:
    """Digest of the content, its lines (about, in wide encodings), and whether the last line is ended."""
    digest, lines, last = hashlib.sha256(), 0, b"\n"
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
            lines += block.count(b"\n")
            last = block[-4:]
    return digest.hexdigest(), lines, last.rstrip(b"\0").endswith((b"\n", b"\r"))


def _first_row(path: Path, encoding: str, delimiter: str) -> list[str]:
    csv.field_size_limit(_LONGEST_FIELD)
    with path.open(encoding=encoding, newline="") as file:
        try:
            row = next(csv.reader(file, delimiter=delimiter), [])
        except csv.Error as error:
            raise BadInputError(f"The first line of {path.name} is not a CSV header: {error}") from error
    return [name.strip() for name in row]


def _choose_delimiter(path: Path, encoding: str, wanted: set[str]) -> str:
    """The delimiter under which the header shows most of the wanted columns, then most columns."""
    headers = {delimiter: _first_row(path, encoding, delimiter) for delimiter in _DELIMITERS}
    return max(_DELIMITERS, key=lambda each: (len(wanted & set(headers[each])), len(headers[each])))


def _check_header(path: Path, header: list[str]) -> None:
    twice = sorted({name for name in header if header.count(name) > 1 and name})
    if not any(header):
        raise BadInputError(f"{path.name} has no header in its first line.", "The first line names the columns.")
    if twice:
        raise BadInputError(
            f"{path.name} names a column twice: {', '.join(twice)}.", "Rename one of them in the header."
        )


def open_source(
    path: Path,
    *,
    wanted: set[str],
    encoding: str | None = None,
    delimiter: str | None = None,
    sheet: str | None = None,
) -> Source:
    """Open a foreign file and find out what is not said.

    Args:
        path: CSV in any encoding, or a workbook (by its content, not by its name).
        wanted: columns that the mapping reads; they decide the delimiter.
        encoding, delimiter, sheet: as the caller knows them.

    Raises:
        BadInputError: missing, empty, binary or damaged file; wrong encoding (with byte and line).
    """
    try:
        with path.open("rb") as file:
            head = file.read(8)
        digest, lines, is_ended = _look_through(path)
    except FileNotFoundError as error:
        raise BadInputError(f"There is no file {path}.", "Check the path.") from error
    except OSError as error:
        raise BadInputError(f"{path} cannot be read: {error.strerror}.", "Give a CSV or XLSX file.") from error
    if not head:
        raise BadInputError(f"{path.name} is empty.", "Give a file with a header and rows.")
    for magic, what in _BINARY.items():
        if head.startswith(magic):
            raise BadInputError(f"{path.name} is {what}, not a table.", "Give the CSV or XLSX file that it holds.")
    if head.startswith((_ZIP, _OLD_OFFICE)):
        from ingestion.imports.workbook import open_sheet

        name, header = open_sheet(path, sheet)
        _check_header(path, header)
        return Source(path, "workbook", "", header, digest, lines, True, sheet=name)
    if sheet:
        raise BadInputError(
            f"{path.name} is a text file and has no sheet {sheet!r}.",
            "Leave --sheet (or the mapping's file.sheet) away, or give the workbook.",
        )
    found = check_encoding(path, encoding) if encoding else detect_encoding(path)
    chosen = delimiter or _choose_delimiter(path, found, wanted)
    header = _first_row(path, found, chosen)
    _check_header(path, header)
    return Source(path, found, chosen, header, digest, lines, is_ended)


def check_columns(source: Source, needed: dict[str, set[str]]) -> None:
    """BadInputError if the file lacks a column that the mapping reads: says which, for what, and which it has."""
    have = set(source.header)
    missing = {
        column: [name for name, names in needed.items() if column in names]
        for column in sorted(set().union(*needed.values()) - have)
    }
    if missing:
        told = "; ".join(f"{column!r} (for {', '.join(uses)})" for column, uses in missing.items())
        raise BadInputError(
            f"{source.path.name} lacks columns that the mapping reads: {told}.",
            f"The file has: {', '.join(source.header)}. Correct the mapping, or the delimiter or encoding if these "
            "names look wrong.",
        )

"""Workbooks (XLSX, and XLS, XLSB, ODS by their content) as rows of texts."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, PasswordError

from core.errors import BadInputError


def cell_text(value: Any) -> str:
    """A cell as text: whole numbers without a point, dates and times in ISO form, lengths as H:MM:SS."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        minutes, seconds = divmod(int(value.total_seconds()), 60)
        return f"{minutes // 60}:{minutes % 60:02d}:{seconds:02d}"
    return str(value)


def _sheet(path: Path, name: str | None) -> CalamineSheet:
    try:
        book = CalamineWorkbook.from_path(path)
        names = book.sheet_names
        if name is not None and name not in names:
            raise BadInputError(f"{path.name} has no sheet {name!r}.", f"Its sheets: {', '.join(names)}.")
        if not names:
            raise BadInputError(f"{path.name} has no sheet.", "Give a workbook with a table.")
        return book.get_sheet_by_name(name or names[0])
    except PasswordError as error:
        raise BadInputError(f"{path.name} is protected by a password.", "Save it without one.") from error
    except (CalamineError, OSError, ValueError) as error:
        raise BadInputError(
            f"{path.name} is not a whole workbook: {error}.",
            "It may be cut or damaged: have it sent or saved anew; nothing was loaded.",
        ) from error


def open_sheet(path: Path, name: str | None) -> tuple[str, list[str]]:
    """Name and header of the sheet named, or of the first one; BadInputError if the workbook is damaged."""
    sheet = _sheet(path, name)
    first = next(iter(sheet.iter_rows()), None)
    if first is None:
        raise BadInputError(f"The sheet {sheet.name} of {path.name} is empty.", "Name another with --sheet.")
    return sheet.name, [cell_text(value).strip() for value in first]


def sheet_rows(path: Path, name: str | None) -> Iterator[tuple[int, list[str]]]:
    """Each row's number in the sheet and its texts, the header first."""
    sheet = _sheet(path, name)
    first = (sheet.start or (0, 0))[0] + 1
    for number, cells in enumerate(sheet.iter_rows(), start=first):
        yield number, [cell_text(value) for value in cells]

"""What the columns of any table are: numbers, categories, moments, or nothing to learn from."""

import re
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

Kind = Literal["number", "time", "category", "dropped"]

#: A category with more levels than this is coded by its target rate instead of one column a level.
FEW_LEVELS = 20
#: Levels kept of one category; rarer ones are read as "other".
MOST_LEVELS = 1000
#: Below this many rows a column is never called an identifier.
ENOUGH_ROWS = 50

_IDENTIFIER_NAME = re.compile(r"(^|[_\s])(id|uuid|guid|key|index|rownames?|row_?(no|num|number)|unnamed: ?\d+)$", re.I)
_CODE_WITH_ZERO = re.compile(r"^-?0\d")
_DATE_TEXT = re.compile(r"^\d{4}[-/.]\d{1,2}[-/.]\d{1,2}([ T]\d{1,2}:\d{2}.*)?$")
_DAY_AND_MONTH = re.compile(r"^(\d{1,2})[-/.](\d{1,2})[-/.]\d{4}([ T]\d{1,2}:\d{2}.*)?$")
_UNITS = "$€£¥￥%％元 "
_THOUSANDS = re.compile(r"^-?\d{1,3}(,\d{3})+(\.\d+)?$")
_SECONDS_A_DAY = 86400.0


@dataclass
class Column:
    """How one column is read.

    Attributes:
        position: place in the table; names may repeat, places do not.
        name: the column's name as text.
        kind: number, time (days since 1970), category, or dropped.
        reason: why it is dropped ("empty", "constant", "identifier"), else "".
        levels: the categories kept, most frequent first; empty for other kinds.
        day_first: whether date texts such as 03/04/2025 begin with the day.
    """

    position: int
    name: str
    kind: Kind
    reason: str
    levels: list[str]
    day_first: bool = False


def as_frame(table: Any) -> pd.DataFrame:
    """`table` (DataFrame, Series, 2-D array or list of rows) as a DataFrame with the positions 0..n-1 as index.

    Raises:
        TypeError: a sparse matrix.
        ValueError: not two-dimensional, or complex numbers.
    """
    if hasattr(table, "toarray"):
        raise TypeError("A sparse matrix was given where a table is needed; call .toarray() or give a DataFrame.")
    if isinstance(table, pd.DataFrame):
        return distinct_names(table).reset_index(drop=True)
    values = np.asarray(table)
    if values.ndim != 2:
        raise ValueError(
            f"Expected 2D array, got {values.ndim}D array instead. Reshape your data: one row a customer, "
            "X.reshape(-1, 1) for one column, X.reshape(1, -1) for one row."
        )
    if np.iscomplexobj(values):
        raise ValueError("Complex data not supported: give real numbers.")
    return pd.DataFrame(values, columns=[f"x{i}" for i in range(values.shape[1])])


def distinct_names(table: pd.DataFrame) -> pd.DataFrame:
    """The table; where names repeat or are of mixed kinds, with names as text and " (2)" after the second."""
    if table.columns.is_unique and len({isinstance(name, str) for name in table.columns}) < 2:
        return table
    seen: dict[str, int] = {}
    names = []
    for name in map(str, table.columns):
        seen[name] = seen.get(name, 0) + 1
        names.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return table.set_axis(names, axis=1)


def as_number(column: pd.Series, kind: Kind = "number", *, day_first: bool = False) -> np.ndarray:
    """The column as float64; what is no number, blank or infinite is NaN. Times are days since 1970."""
    if isinstance(column.dtype, pd.PeriodDtype):
        column = column.dt.to_timestamp()
    kind_of = column.dtype.kind if isinstance(column.dtype, np.dtype) else ""
    if kind_of in "iufb" and kind_of:
        numbers = column.to_numpy(dtype=np.float64)
    elif isinstance(column.dtype, pd.DatetimeTZDtype) or kind_of == "M" or kind == "time":
        form = None if kind_of == "M" else "mixed"
        moments = pd.to_datetime(column, errors="coerce", utc=True, format=form, dayfirst=day_first)
        numbers = _days(pd.DatetimeIndex(moments))
    elif kind_of == "m":
        numbers = column.dt.total_seconds().to_numpy(np.float64)
    elif pd.api.types.is_numeric_dtype(column.dtype):
        numbers = column.to_numpy(dtype=np.float64, na_value=np.nan)
    else:
        codes, uniques = pd.factorize(column, use_na_sentinel=True)
        known = pd.to_numeric(pd.Series([_bare(_plain(value)) for value in uniques], dtype=object), errors="coerce")
        numbers = np.append(known.to_numpy(np.float64), np.nan)[codes]
    return np.where(np.isfinite(numbers), numbers, np.nan)


def _days(moments: pd.DatetimeIndex) -> np.ndarray:
    plain = moments.tz_localize(None) if moments.tz is not None else moments
    seconds = plain.to_numpy().astype("datetime64[s]").astype(np.int64)
    return np.where(moments.isna(), np.nan, seconds / _SECONDS_A_DAY)


def as_text(column: pd.Series) -> tuple[np.ndarray, list[str]]:
    """Codes and their texts; blanks and missing values have code -1, texts are stripped and distinct."""
    codes, uniques = _factorize(column)
    texts = [_plain(value) for value in uniques]
    order: dict[str, int] = {}
    place = [order.setdefault(text, len(order)) if text else -1 for text in texts]
    return np.append(np.array(place, dtype=np.int64), -1)[codes], list(order)


def _factorize(column: pd.Series) -> tuple[np.ndarray, Any]:
    try:
        return pd.factorize(column, use_na_sentinel=True)
    except TypeError:  # Lists or dicts in cells cannot be hashed; their text can.
        return pd.factorize(column.map(lambda value: None if value is None else str(value)), use_na_sentinel=True)


def _plain(value: Any) -> str:
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return str(value).strip()


def _bare(text: str) -> str:
    """A number's text without its currency, per cent sign and thousands' commas."""
    bare = text.strip(_UNITS)
    return bare.replace(",", "") if _THOUSANDS.match(bare) else bare


def inspect(frame: pd.DataFrame) -> list[Column]:
    """The kind of every column, found from its values alone."""
    return [_inspect_one(frame.iloc[:, place], place, str(frame.columns[place])) for place in range(frame.shape[1])]


def _inspect_one(column: pd.Series, position: int, name: str) -> Column:
    kind = _guess(column)
    if kind == "category":
        return _inspect_category(column, position, name)
    day_first = kind == "time" and _begins_with_day(column)
    numbers = as_number(column, kind, day_first=day_first)
    known = numbers[~np.isnan(numbers)]
    reason = ""
    if not len(known):
        reason = "empty"
    elif len(known) == len(numbers) and (known == known[0]).all():
        reason = "constant"
    elif kind == "number" and _counts_rows(known, name):
        reason = "identifier"
    return Column(position, name, "dropped" if reason else kind, reason, [], day_first)


def _inspect_category(column: pd.Series, position: int, name: str) -> Column:
    codes, texts = as_text(column)
    counts = np.bincount(codes[codes >= 0], minlength=len(texts))
    known = int(counts.sum())
    if not known:
        return Column(position, name, "dropped", "empty", [])
    if len(texts) == 1 and known == len(codes):
        return Column(position, name, "dropped", "constant", [])
    if known >= ENOUGH_ROWS and len(texts) > 0.9 * known:
        return Column(position, name, "dropped", "identifier", [])
    rare = 5 if known >= 200 and len(texts) > 2 else 1
    order = [int(i) for i in np.argsort(-counts, kind="stable") if counts[i] >= rare]
    return Column(position, name, "category", "", [texts[i] for i in order[:MOST_LEVELS]])


def _counts_rows(known: np.ndarray, name: str) -> bool:
    """Distinct whole numbers that are dense, or named like a key: a row number, nothing to learn from."""
    if len(known) < ENOUGH_ROWS or not (known == np.floor(known)).all() or len(np.unique(known)) < len(known):
        return False
    return bool(known.max() - known.min() < 5 * len(known)) or _IDENTIFIER_NAME.search(name) is not None


def _guess(column: pd.Series) -> Kind:
    dtype = column.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return "category"
    if isinstance(dtype, pd.DatetimeTZDtype | pd.PeriodDtype) or getattr(dtype, "kind", "") == "M":
        return "time"
    if pd.api.types.is_numeric_dtype(dtype) or getattr(dtype, "kind", "") == "m":
        return "number"
    known = column.dropna()
    if pd.api.types.is_object_dtype(dtype):
        held = pd.api.types.infer_dtype(known, skipna=True)
        if held in ("date", "datetime", "datetime64", "period"):
            return "time"
        if held in ("integer", "floating", "mixed-integer-float", "boolean", "decimal"):
            return "number"
    return _guess_text([text for text in as_text(known)[1] if text])


def _guess_text(texts: list[str]) -> Kind:
    """Texts that are nearly all numbers (and not codes like 0012) or dates are read as such."""
    if not texts:
        return "category"
    for form in (_DATE_TEXT, _DAY_AND_MONTH):
        if sum(bool(form.match(text)) for text in texts) >= 0.95 * len(texts):
            return "time"
    bare = pd.Series([_bare(text) for text in texts], dtype=object)
    numeric = pd.to_numeric(bare, errors="coerce").notna().mean() >= 0.95
    codes = any(_CODE_WITH_ZERO.match(text) and "." not in text for text in texts)
    return "number" if numeric and not codes and len(texts) > FEW_LEVELS else "category"


def _begins_with_day(column: pd.Series) -> bool:
    """Whether some date text can only begin with its day; where none tells, the month is taken to come first."""
    if not (pd.api.types.is_object_dtype(column.dtype) or pd.api.types.is_string_dtype(column.dtype)):
        return False
    found = [_DAY_AND_MONTH.match(text) for text in as_text(column.dropna())[1]]
    return any(int(match[1]) > 12 for match in found if match)

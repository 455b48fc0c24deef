"""The form in which every model of customers hands over its scores, and reasons in words."""

from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import yaml

_WORDS = Path(__file__).resolve().parents[1] / "words.yml"
#: Levels of columns that are not numbers, in words; cities come from the marts.
_LEVELS = {
    "True": ("是", "yes"),
    "False": ("否", "no"),
    "person": ("个人", "person"),
    "organisation": ("单位", "organisation"),
    "none": ("普通", "none"),
    "silver": ("银卡", "silver"),
    "gold": ("金卡", "gold"),
    "platinum": ("白金", "platinum"),
}
_LOWERS = ("（降低）", " (lowers it)")

SCHEMA = pa.schema(
    [
        ("customer_id", pa.int64()),
        ("score", pa.float64()),
        ("percentile", pa.int64()),
        ("label", pa.string()),
        ("version", pa.string()),
        ("as_of", pa.date32()),
        ("reasons", pa.string()),
    ]
)

Words = dict[str, tuple[str, str]]


@dataclass(frozen=True)
class Scored:
    """All scores of one model at one date: a table of SCHEMA, and the words of its codes."""

    model: str
    version: str
    as_of: date
    table: pa.Table
    words: Words


@lru_cache
def feature_words() -> dict[str, dict[str, Any]]:
    """What each feature is called and how it reads as a reason."""
    content: dict[str, dict[str, Any]] = yaml.safe_load(_WORDS.read_text(encoding="utf-8"))
    return content


def percentiles(score: np.ndarray) -> np.ndarray:
    """Place of each score among all, 0 … 99 (99: the highest hundredth); ties share the lower place."""
    if not len(score):
        return np.empty(0, np.int64)
    ordered = np.sort(score)
    return np.asarray(np.searchsorted(ordered, score, side="left") * 100 // len(score), dtype=np.int64)


def bands(percentile: np.ndarray) -> np.ndarray:
    """high (the top twentieth), medium (the next 15 of 100), low."""
    return np.where(percentile >= 95, "high", np.where(percentile >= 80, "medium", "low"))


def table_of(
    frame: pd.DataFrame, score: np.ndarray, label: Any, reasons: Any, *, version: str, as_of: date
) -> pa.Table:
    """The scores of a feature table's customers; without labels they get their bands."""
    count = len(frame)
    percentile = percentiles(np.asarray(score))
    return pa.table(
        [
            pa.array(frame["customer_key"].to_numpy(np.int64)),
            pa.array(np.asarray(score, dtype=np.float64)),
            pa.array(percentile),
            pa.array(bands(percentile) if label is None else label, pa.string()),
            pa.repeat(pa.scalar(version), count),
            pa.repeat(pa.scalar(as_of, pa.date32()), count),
            reasons if isinstance(reasons, pa.Array | pa.ChunkedArray) else pa.array(reasons, pa.string()),
        ],
        schema=SCHEMA,
    )


def reasons_of(frame: pd.DataFrame, places: np.ndarray, moved: np.ndarray) -> pa.Array:
    """Reasons as codes: `complaints_90d:up=3;has_broadband:down:True`, strongest first.

    Args:
        frame: the table that was scored.
        places: (rows, top) columns by position, -1 where there is none.
        moved: their contributions.
    """
    written = [_reason(frame, places[:, rank], moved[:, rank] > 0) for rank in range(places.shape[1])]
    return pc.binary_join_element_wise(*written, ";", null_handling="skip")


def _reason(frame: pd.DataFrame, place: np.ndarray, raises: np.ndarray) -> pa.Array:
    out = np.full(len(frame), None, dtype=object)
    for column in np.unique(place[place >= 0]):
        for up in (True, False):
            rows = np.flatnonzero((place == column) & (raises == up))
            if len(rows):
                name = str(frame.columns[column])
                out[rows] = _codes(name, frame.iloc[rows, column], "up" if up else "down")
    return pa.array(out, pa.string())


def _codes(name: str, values: pd.Series, direction: str) -> np.ndarray:
    numeric = pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)
    if not numeric:
        return np.asarray(f"{name}:{direction}:" + values.astype(str), dtype=object)
    decimals = int(feature_words().get(name, {}).get("decimals", 0))
    numbers = values.to_numpy(np.float64, na_value=np.nan)
    known = ~np.isnan(numbers)
    rounded = np.round(np.where(known, numbers, 0.0), decimals)
    plain = pa.array(rounded if decimals else rounded.astype(np.int64)).cast(pa.string())
    codes = np.asarray(pc.binary_join_element_wise(f"{name}:{direction}", plain, "="), dtype=object)
    codes[~known] = f"{name}:{direction}:missing"
    return codes


def reason_texts(columns: list[str], levels: dict[str, tuple[str, str]] | None = None) -> Words:
    """Words of every code that `reasons_of` can write for these columns.

    Args:
        columns: features of the model.
        levels: further levels in words (cities), by code.
    """
    known = _LEVELS | (levels or {})
    words: Words = {}
    for column in columns:
        said = feature_words()[column]
        for direction, (zh_end, en_end) in (("up", ("", "")), ("down", _LOWERS)):
            base = f"{column}:{direction}"
            words[base] = (said["reason_zh"] + zh_end, said["reason_en"] + en_end)
            words[f"{base}:missing"] = (f"{said['zh']}：无记录{zh_end}", f"{said['en']}: none on record{en_end}")
            for level, (zh, en) in known.items():
                words[f"{base}:{level}"] = (
                    said["reason_zh"].replace("{value}", zh) + zh_end,
                    said["reason_en"].replace("{value}", en) + en_end,
                )
    return words

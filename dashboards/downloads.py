"""Tables as CSV files that a spreadsheet opens as they are meant."""

import pandas as pd

from core.spreadsheet import harmless


def to_csv(table: pd.DataFrame) -> bytes:
    """The table as UTF-8 CSV with a byte-order mark (Excel then reads Chinese), formulas made harmless."""
    safe = table.rename(columns=lambda name: harmless(str(name)))
    for name in safe.columns:
        if not pd.api.types.is_numeric_dtype(safe[name]):
            safe[name] = safe[name].map(harmless)
    return safe.to_csv(index=False, lineterminator="\r\n").encode("utf-8-sig")


def file_name(*parts: str) -> str:
    """A file name of these parts, without characters that a file system refuses."""
    joined = "_".join(part for part in parts if part)
    return "".join(letter if letter.isalnum() or letter in "._-" else "-" for letter in joined) + ".csv"

"""Behaviour patterns with names, what sets each apart, and what to do for it."""

from dataclasses import asdict, dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from ml.customers.scores import Scored, Words, feature_words, table_of
from ml.models import Segmenter
from ml.models.portraits import Portrait
from ml.parameters import parameters

MODEL = "segment"
#: Rows that a segmentation learns from: more do not move its centres.
MOST_ROWS = 300_000
_IN_NAME = 2


@dataclass(frozen=True)
class Segment:
    """A segment as people read it.

    `jaccard` is the mean overlap of the segment with itself in bootstrap redraws; from 0.75 on it is valid, below 0.6
    it is not shown. `differs_*` are sentences, strongest first.
    """

    number: int
    name_zh: str
    name_en: str
    action_zh: str
    action_en: str
    differs_zh: str
    differs_en: str
    customers: int
    share: float
    jaccard: float
    verdict: str


@lru_cache
def _said() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("segment_words.yml").read_text(encoding="utf-8"))
    return content


def learn(frame: pd.DataFrame, before: Segmenter | None = None) -> Segmenter:
    """Find the segments; with an earlier model those that stay keep their numbers."""
    given = parameters()["segments"]
    table = _behaviour(frame)
    if before is not None and list(before.feature_names_in_) == list(table.columns):
        return before.refit(table)
    return Segmenter(most_clusters=given["most_clusters"]).fit(table)


def _behaviour(frame: pd.DataFrame) -> pd.DataFrame:
    columns: list[str] = parameters()["segments"]["columns"]
    return frame[columns].astype(np.float64)


def describe(model: Segmenter) -> list[Segment]:
    """Every segment in words; names differ from one another."""
    jaccard = dict(zip(model.segments_.tolist(), _overlaps(model), strict=True))
    found: list[Segment] = []
    for portrait in model.portraits_:
        zh, en = _name(portrait, {each.name_zh for each in found})
        done = _strongest(portrait)
        found.append(
            Segment(
                number=int(portrait.segment),
                name_zh=zh,
                name_en=en,
                action_zh=done["do_zh"],
                action_en=done["do_en"],
                differs_zh="；".join(_differences(portrait, "zh")),
                differs_en="; ".join(_differences(portrait, "en")),
                customers=portrait.rows,
                share=portrait.share,
                jaccard=float(jaccard[portrait.segment][0]),
                verdict=str(jaccard[portrait.segment][1]),
            )
        )
    return found


def _overlaps(model: Segmenter) -> list[tuple[float, str]]:
    certificate = model.certificate_
    return list(zip(map(float, certificate.jaccard), certificate.verdicts, strict=True))


def _known(portrait: Portrait) -> list[tuple[str, str]]:
    said = _said()
    return [(d.direction, d.column) for d in portrait.deviations if d.column in said.get(d.direction, {})]


def _name(portrait: Portrait, taken: set[str]) -> tuple[str, str]:
    parts = [_said()[direction][column] for direction, column in _known(portrait)]
    if not parts:
        parts = [_said()["none"]]
    for length in range(min(_IN_NAME, len(parts)), len(parts) + 1):
        zh = "、".join(part["zh"] for part in parts[:length])
        if zh not in taken:
            return zh, _capital(", ".join(part["en"] for part in parts[:length]))
    number = portrait.segment + 1
    return f"{zh}（{number}）", f"{_capital(', '.join(part['en'] for part in parts))} ({number})"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _strongest(portrait: Portrait) -> dict[str, str]:
    known = _known(portrait)
    # What is too much of asks for more than what is lacking.
    high = [pair for pair in known if pair[0] == "high"]
    if not known:
        return dict(_said()["none"])
    direction, column = (high or known)[0]
    return dict(_said()[direction][column])


def _differences(portrait: Portrait, language: str) -> list[str]:
    lines = []
    for each in portrait.deviations[:4]:
        head = feature_words()[each.column][language]
        here, overall = (f"{value:,.0f}" if abs(value) >= 10 else f"{value:.2g}" for value in (each.here, each.overall))
        if here == overall:
            continue
        if language == "zh":
            lines.append(f"{head}{'偏高' if each.direction == 'high' else '偏低'}（中位数 {here}，全体 {overall}）")
        else:
            lines.append(f"{head}: {'higher' if each.direction == 'high' else 'lower'} (median {here}, all {overall})")
    return lines


def words(described: list[Segment]) -> Words:
    """Words of the model's codes: names of the segments, and how they differ as reasons."""
    said: Words = {"": ("客户分群", "Segment")}
    for each in described:
        said[f"label:{each.number}"] = (each.name_zh, each.name_en)
        said[f"segment_{each.number}"] = (each.differs_zh[:390] or each.name_zh, each.differs_en[:390] or each.name_en)
    return said


def score(model: Segmenter, frame: pd.DataFrame, *, version: str, as_of: date, said: Words) -> Scored:
    """Every customer's segment; the model is frozen, so the same behaviour keeps its segment."""
    number = model.predict(_behaviour(frame))
    label = number.astype(str).astype(object)
    reasons = np.char.add("segment_", number.astype(str)).astype(object)
    table = table_of(frame, number.astype(np.float64), label, reasons, version=version, as_of=as_of)
    return Scored(MODEL, version, as_of, table, said)


def as_rows(described: list[Segment]) -> list[dict[str, Any]]:
    """The segments as plain rows."""
    return [asdict(each) for each in described]

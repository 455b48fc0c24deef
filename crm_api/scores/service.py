"""Reading a customer's latest scores in words, and replacing all scores of a model at once."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import pyarrow as pa
from sqlalchemy import Connection, delete, insert, select
from sqlalchemy.orm import Session

from crm_api.bulk import BulkWriter
from crm_api.scores.models import CustomerScore, ScoreText

#: Name of a model in score_texts.
NAME = ""


@dataclass(frozen=True)
class Words:
    """One text in both languages."""

    zh: str
    en: str

    def text(self, language: str) -> str:
        """The text in `language` (zh-CN or en)."""
        return self.zh if language == "zh-CN" else self.en


@dataclass(frozen=True)
class Score:
    """What one model says of a customer.

    `score` is a probability (churn, offer_*), points of 0 … 100 (key_customer) or a segment's number (segment);
    `percentile` its place among all scored customers, 99 the highest; `reasons` the strongest first.
    """

    model: str
    name: Words
    score: float
    percentile: int
    label: str
    label_words: Words
    version: str
    as_of: date
    reasons: tuple[Words, ...]


def of(session: Session, customer_id: int) -> list[Score]:
    """The latest scores of a customer (read within the caller's scope before), by model; empty if never scored."""
    rows = session.scalars(
        select(CustomerScore).where(CustomerScore.customer_id == customer_id).order_by(CustomerScore.model)
    ).all()
    texts = texts_of(session, [row.model for row in rows])
    return [_score(row, texts) for row in rows]


def texts_of(session: Session, models: Sequence[str]) -> dict[tuple[str, str], Words]:
    """The words of some models by (model, code)."""
    rows = session.scalars(select(ScoreText).where(ScoreText.model.in_(models)))
    return {(row.model, row.code): Words(row.text_zh, row.text_en) for row in rows}


def _score(row: CustomerScore, texts: Mapping[tuple[str, str], Words]) -> Score:
    plain = Words(row.model, row.model)
    return Score(
        model=row.model,
        name=texts.get((row.model, NAME), plain),
        score=row.score,
        percentile=row.percentile,
        label=row.label,
        label_words=texts.get((row.model, f"label:{row.label}"), Words(row.label, row.label)),
        version=row.version,
        as_of=row.as_of,
        reasons=tuple(reason_words(row.model, row.reasons, texts)),
    )


def reason_words(model: str, reasons: str, texts: Mapping[tuple[str, str], Words]) -> Iterable[Words]:
    """The reasons `code=value;…` in words; a code without words is left out."""
    for part in filter(None, reasons.split(";")):
        code, _, value = part.partition("=")
        words = texts.get((model, code))
        if words is not None:
            yield Words(words.zh.replace("{value}", value), words.en.replace("{value}", value))


def replace(
    connection: Connection, model: str, batches: Iterable[pa.Table], texts: Mapping[str, tuple[str, str]]
) -> int:
    """Replace all scores and words of `model` within the caller's transaction; the number of scores.

    Args:
        connection: of the store, in a transaction.
        model: the model's name; every row gets it.
        batches: tables with the other columns of `customer_scores`.
        texts: code -> (Chinese, English); code '' is the model's name.
    """
    connection.execute(delete(CustomerScore).where(CustomerScore.model == model))
    connection.execute(delete(ScoreText).where(ScoreText.model == model))
    if texts:
        rows = [{"model": model, "code": code, "text_zh": zh, "text_en": en} for code, (zh, en) in texts.items()]
        connection.execute(insert(ScoreText), rows)
    writer = BulkWriter(connection)
    written = 0
    for batch in batches:
        named = batch.append_column("model", pa.array([model] * batch.num_rows, pa.string()))
        written += writer.write("customer_scores", named)
    return written

"""Complaint types from tickets' texts: learnt from the store (texts stay there), judged on the newest tickets."""

from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import f1_score
from sqlalchemy import select

from core.database import make_engine, session_scope
from core.settings import Settings
from crm_api.store import require_ready
from crm_api.suggestions.models import ComplaintSuggestion
from crm_api.suggestions.topics import named_tickets
from crm_api.tickets.models import Ticket
from ml.customers.churn import TooLittleDataError
from ml.models import ComplaintClassifier

MODEL = "complaints"
#: Newest tickets learnt from: more texts of the same wording teach little.
MOST_TEXTS = 40_000
_LEAST_TEXTS = 200
_JUDGED_SHARE = 0.2


def read_texts(settings: Settings, most: int = MOST_TEXTS) -> pd.DataFrame:
    """The newest tickets with a complaint type and words: id, created_at, text, type, corrected; oldest first.

    `corrected`: a person chose otherwise than was suggested, or named the topic that the ticket belongs to.
    """
    statement = (
        select(Ticket.id, Ticket.created_at, Ticket.title, Ticket.description, Ticket.complaint_type_code)
        .where(Ticket.complaint_type_code.is_not(None), Ticket.deleted_at.is_(None), Ticket.kind == "standard")
        .order_by(Ticket.created_at.desc(), Ticket.id.desc())
        .limit(most)
    )
    chosen = select(ComplaintSuggestion.ticket_id, ComplaintSuggestion.suggested, ComplaintSuggestion.chosen_code)
    engine = make_engine(settings)
    require_ready(engine)
    with session_scope(engine) as connection:
        rows = connection.execute(statement).all()
        named = named_tickets(connection)
        choices = connection.execute(chosen.where(ComplaintSuggestion.ticket_id.is_not(None))).all()
    engine.dispose()
    corrected = {row.ticket_id for row in choices if row.suggested and row.suggested[0].get("code") != row.chosen_code}
    table = pd.DataFrame(
        {
            "id": [row.id for row in rows],
            "created_at": [row.created_at for row in rows],
            "text": [" ".join(filter(None, (row.title, row.description))) for row in rows],
            "type": [named.get(row.id, row.complaint_type_code) for row in rows],
            "corrected": [row.id in corrected or row.id in named for row in rows],
        }
    )
    return table[table["text"].str.strip() != ""].iloc[::-1].reset_index(drop=True)


def learn(settings: Settings) -> tuple[ComplaintClassifier, dict[str, Any], pd.DataFrame]:
    """Judge on the newest fifth, then fit on all; what people corrected weighs more.

    Returns:
        the model, its metrics, and the rows that it learnt from.

    Raises:
        TooLittleDataError: fewer than 200 texts, or one type only.
    """
    table = read_texts(settings)
    if len(table) < _LEAST_TEXTS or table["type"].nunique() < 2:
        raise TooLittleDataError(
            f"The store holds {len(table)} complaints with text in {table['type'].nunique()} types;"
            f" {_LEAST_TEXTS} in two are needed.",
            "Capture or import complaints first.",
        )
    border = int(len(table) * (1 - _JUDGED_SHARE))
    told = judged(table.iloc[:border], table.iloc[border:])
    return fitted(table), told, table


def fitted(table: pd.DataFrame) -> ComplaintClassifier:
    """A model of these rows, the corrected ones learnt as corrections."""
    model = ComplaintClassifier().fit(table["text"], table["type"])
    corrected = table[table["corrected"]]
    if len(corrected):
        model.partial_update(corrected["text"], corrected["type"])
    return model


def judged(past: pd.DataFrame, newest: pd.DataFrame) -> dict[str, Any]:
    """Accuracy and macro-F1, each against always guessing the most frequent type.

    Also how many reach the threshold, and how many of those are right.
    """
    model = ComplaintClassifier().fit(past["text"], past["type"])
    probability = model.predict_proba(newest["text"])
    guessed = np.asarray(model.classes_)[probability.argmax(axis=1)]
    sure = probability.max(axis=1) >= model.threshold_
    truth = newest["type"].to_numpy()
    frequent = np.full(len(truth), past["type"].mode().iloc[0], dtype=object)
    return {
        "macro_f1": float(f1_score(truth, guessed, average="macro", zero_division=0)),
        "baseline_f1": float(f1_score(truth, frequent, average="macro", zero_division=0)),
        "accuracy": float((truth == guessed).mean()),
        "baseline_accuracy": float((truth == frequent).mean()),
        "coverage": float(sure.mean()),
        "right": float((truth == guessed)[sure].mean()) if sure.any() else float("nan"),
        "threshold": float(model.threshold_),
        "classes": len(model.classes_),
        "corrected": int(past["corrected"].sum() + newest["corrected"].sum()),
    }

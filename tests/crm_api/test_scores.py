"""What a customer's page and a campaign read of the models: the latest score, in words, in both languages."""

from datetime import date

import pyarrow as pa
from sqlalchemy import Engine

from core.database import session_scope
from crm_api.scores import service as scores

_TEXTS = {
    "": ("流失风险", "Risk of leaving"),
    "label:high": ("高", "high"),
    "complaints_90d:up": ("近 90 天投诉 {value} 次", "{value} complaints within 90 days"),
}


def _batch(percentile: int, version: str = "1") -> pa.Table:
    return pa.table(
        {
            "customer_id": pa.array([7], pa.int64()),
            "score": pa.array([0.25]),
            "percentile": pa.array([percentile], pa.int64()),
            "label": pa.array(["high"]),
            "version": pa.array([version]),
            "as_of": pa.array([date(2026, 6, 1)]),
            "reasons": pa.array(["complaints_90d:up=3;unknown:up=1"]),
        }
    )


def test_a_score_is_read_in_words_and_a_new_scoring_replaces_the_old(store: Engine) -> None:
    with store.begin() as connection:
        assert scores.replace(connection, "churn", [_batch(99)], _TEXTS) == 1
    with store.begin() as connection:
        scores.replace(connection, "churn", [_batch(98, "2")], _TEXTS)
    with session_scope(store) as session:
        (score,) = scores.of(session, 7)
        assert scores.of(session, 8) == []
    assert (score.percentile, score.version, score.as_of) == (98, "2", date(2026, 6, 1))
    assert score.name.zh == "流失风险"
    assert score.label_words.en == "high"
    assert [reason.en for reason in score.reasons] == ["3 complaints within 90 days"]

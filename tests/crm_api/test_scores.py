"""What a customer's page and a campaign read of the models: the latest score, in words, in both languages."""

from datetime import UTC, date, datetime

import pyarrow as pa
import pytest
from sqlalchemy import Engine

from core.actor import Actor
from core.database import session_scope
from crm_api.customers.models import Customer
from crm_api.errors import ConflictError
from crm_api.scores import proposals
from crm_api.scores import service as scores

START = datetime(2026, 1, 5, 1, 0, tzinfo=UTC)

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


def _change(customer_id: int, to_level: str) -> pa.Table:
    points = {f"{part}_points": [10.0] for part in ("revenue", "outlook", "size", "breadth", "loyalty")}
    plain = {"customer_id": [customer_id], "from_level": ["none"], "to_level": [to_level], "score": [50.0]}
    return pa.table(plain | points | {"version": ["1"], "as_of": [date(2026, 6, 1)]})


def test_an_accepted_proposal_changes_the_level_and_a_declined_one_does_not_come_back(store: Engine) -> None:
    supervisor = Actor(username="chen", role="supervisor", unit_id=1, unit_kind="province")
    with session_scope(store) as session:
        rows = [Customer(code=f"K{number}", kind="organisation", unit_id=2, registered_at=START) for number in (1, 2)]
        session.add_all(rows)
        session.flush()
        first, second = (row.id for row in rows)
    for customer in (first, second):
        with store.begin() as connection:
            assert proposals.propose(connection, _change(customer, "gold")) == 1
        with session_scope(store) as session:
            (proposal,) = session.scalars(proposals.visible(supervisor)).all()
            proposals.decide(session, proposal.id, accept=customer == first, actor=supervisor, note="核实过")
    with session_scope(store) as session:
        assert session.get_one(Customer, first).key_level == "gold"
        assert session.get_one(Customer, second).key_level == "none"
        with pytest.raises(ConflictError):
            proposals.decide(session, proposal.id, accept=True, actor=supervisor)
    with store.begin() as connection:
        # Declined by a person, and no longer at the level that it starts from.
        assert proposals.propose(connection, _change(second, "gold")) == 0
        assert proposals.propose(connection, _change(first, "gold")) == 0
        assert proposals.propose(connection, _change(second, "silver")) == 1

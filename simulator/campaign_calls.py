"""Calls of a running campaign whose effect is known: the list is worked day by day, outcomes and subscriptions follow.

Both arms take the product by themselves at the rate `by_itself`; being reached by a call adds `effect`. What is
measured against the holdout can so be held against what was planted.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import numpy as np
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from core.actor import Actor
from core.database import session_scope
from core.errors import BadInputError
from core.time import LOCAL
from crm_api.campaigns.models import CallListEntry, Campaign, Offer
from crm_api.campaigns.service import next_entries, record_outcome
from crm_api.customers.models import Account, Subscription

_BATCH = 200
#: Outcomes of a call that reaches nobody, and how often each.
_MISSED, _MISSED_SHARES = ("no_answer", "busy", "wrong_number"), (0.80, 0.17, 0.03)
#: What a customer says who was reached and does not take the offer.
_SAID, _SAID_SHARES = ("refused", "undecided", "do_not_call"), (0.72, 0.23, 0.05)


@dataclass(frozen=True)
class CallLaw:
    """How customers behave.

    Attributes:
        reached: share of attempts that reach the customer.
        by_itself: share of customers who take the product within the window without any call.
        effect: what being reached adds to that share.
    """

    reached: float = 0.45
    by_itself: float = 0.02
    effect: float = 0.08


@dataclass
class Worked:
    """What the simulated calls came to."""

    days: int = 0
    attempts: Counter[str] = field(default_factory=Counter)
    subscriptions: int = 0


def simulate_calls(
    engine: Engine,
    campaign_id: int,
    *,
    actor: Actor,
    law: CallLaw | None = None,
    seed: int = 0,
    first: date | None = None,
    before_call: Callable[[Session, int], None] | None = None,
) -> Worked:
    """Work a running campaign's list from its first to its last day through the same services that agents use.

    Args:
        engine: the store.
        campaign_id: a running campaign.
        actor: who calls.
        law: how customers behave.
        seed: the same seed makes the same calls.
        first: a later first day.
        before_call: told of each entry id before its call, e.g. to withdraw a consent.

    Raises:
        BadInputError: the campaign does not run.
    """
    behaviour, rng, worked = law or CallLaw(), np.random.default_rng(seed), Worked()
    with session_scope(engine) as session:
        campaign = session.get(Campaign, campaign_id)
        if campaign is None or campaign.state != "running":
            raise BadInputError(f"Campaign {campaign_id} does not run.", "Approve and start it first.")
        day, last, opens = first or campaign.starts_on, campaign.ends_on, campaign.opens_second
    takers: dict[int, datetime] = {}
    while day <= last:
        at = datetime.combine(day, datetime.min.time(), LOCAL) + timedelta(seconds=opens)
        _work_day(engine, campaign_id, actor, behaviour, rng, at, worked, takers, before_call)
        worked.days += 1
        day += timedelta(days=1)
    worked.subscriptions = _subscribe(engine, campaign_id, behaviour, rng, takers)
    return worked


def _work_day(
    engine: Engine,
    campaign_id: int,
    actor: Actor,
    law: CallLaw,
    rng: np.random.Generator,
    at: datetime,
    worked: Worked,
    takers: dict[int, datetime],
    before_call: Callable[[Session, int], None] | None,
) -> None:
    while True:
        with session_scope(engine) as session:
            taken = next_entries(session, campaign_id=campaign_id, limit=_BATCH, worker=actor.username, now=at)
            for entry in taken:
                if before_call is not None:
                    before_call(session, entry.entry_id)
                outcome = _outcome(law, rng)
                if outcome == "accepted":
                    takers[entry.customer_id] = at
                key = f"simulated-{entry.attempt}"
                seconds = int(rng.exponential(120)) + 20 if outcome in ("accepted", *_SAID) else None
                record_outcome(
                    session, entry.entry_id, outcome, actor=actor, external_id=key, now=at, talk_seconds=seconds
                )
                worked.attempts[outcome] += 1
        if not taken:
            return
        at += timedelta(minutes=1)


def _outcome(law: CallLaw, rng: np.random.Generator) -> str:
    if rng.random() >= law.reached:
        return str(rng.choice(_MISSED, p=_MISSED_SHARES))
    return "accepted" if rng.random() < law.effect else str(rng.choice(_SAID, p=_SAID_SHARES))


def _subscribe(
    engine: Engine, campaign_id: int, law: CallLaw, rng: np.random.Generator, takers: dict[int, datetime]
) -> int:
    """Who accepted subscribes; of both arms some do so by themselves."""
    with session_scope(engine) as session:
        campaign = session.get_one(Campaign, campaign_id)
        if campaign.goal != "subscribe" or campaign.approved_at is None:
            return 0
        rows = session.execute(
            select(CallListEntry.customer_id, Offer.product_code)
            .join(Offer, Offer.code == CallListEntry.offer_code)
            .where(CallListEntry.campaign_id == campaign_id, CallListEntry.deleted_at.is_(None))
            .order_by(CallListEntry.customer_id)
        ).all()
        accounts = _accounts(session, [row.customer_id for row in rows])
        alone = rng.random(len(rows)) < law.by_itself
        later = campaign.approved_at + timedelta(days=1)
        made = [
            Subscription(
                account_id=accounts[row.customer_id],
                product_code=row.product_code,
                monthly_fee_fen=5900,
                started_at=takers.get(row.customer_id, later),
            )
            for row, takes in zip(rows, alone, strict=True)
            if row.product_code and row.customer_id in accounts and (takes or row.customer_id in takers)
        ]
        session.add_all(made)
        return len(made)


def _accounts(session: Session, customers: Sequence[int]) -> dict[int, int]:
    found: dict[int, int] = {}
    for start in range(0, len(customers), 10_000):
        part = select(Account.customer_id, Account.id).where(
            Account.customer_id.in_(customers[start : start + 10_000]), Account.status == "active"
        )
        for customer, account in session.execute(part):
            found.setdefault(customer, account)
    return found

"""Campaigns: each gate, the holdout, one call a person, what stops a call, rebuilt lists, approval, files."""

import csv
import io
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.actor import Actor
from core.database import session_scope
from core.time import LOCAL
from crm_api.audit.models import AuditEntry
from crm_api.campaigns import building, desk, exchange, reading, service
from crm_api.campaigns.candidates import drawn, gather
from crm_api.campaigns.capacity import limit_calls
from crm_api.campaigns.models import CallListEntry, Campaign, ListBuild, OutboundCapacity
from crm_api.campaigns.settings import campaign_settings
from crm_api.contacts.models import Contact
from crm_api.customers.models import Account, Consent, Customer, CustomerPhone, Subscription
from crm_api.errors import ConflictError, InvalidError, NotAllowedError, NotFoundError
from crm_api.organisation.models import OrgUnit
from crm_api.tickets.models import Ticket
from ml.lists import solve

DAY = date(2026, 3, 3)
NOW = datetime(2026, 3, 3, 10, 0, tzinfo=LOCAL)
MARKETING = Actor(username="marketing", role="marketing", unit_id=1, unit_kind="province")
SUPERVISOR = Actor(username="supervisor", role="supervisor", unit_id=1, unit_kind="province")
AGENT = Actor(username="agent", role="agent", unit_id=1, unit_kind="province")


@pytest.fixture(autouse=True)
def no_global_holdout(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small stores: nobody is left out by lot unless a test wants it."""
    monkeypatch.setattr(campaign_settings(), "global_holdout_percent", 0)


def unit(session: Session, code: str) -> int:
    return session.scalars(select(OrgUnit.id).where(OrgUnit.code == code)).one()


def add(session: Session, number: int, *, phone: str | None = "", consent: bool | None = True, **values: Any) -> int:
    """A customer of 宝鸡 with digital TV, a number and consent to marketing calls, unless told otherwise."""
    row = {
        "code": f"K{number:04d}",
        "kind": "person",
        "unit_id": unit(session, "baoji"),
        "name": f"客户{number}",
        "registered_at": NOW - timedelta(days=400),
    }
    customer = Customer(**(row | values))
    session.add(customer)
    session.flush()
    if phone is not None:
        e164 = phone or f"+8613{number:09d}"
        session.add(CustomerPhone(customer_id=customer.id, e164=e164, kind="mobile", is_primary=True))
    if consent is not None:
        session.add(
            Consent(
                customer_id=customer.id,
                channel="voice",
                purpose="marketing",
                granted=consent,
                valid_from=date(2026, 1, 1),
            )
        )
    account = Account(customer_id=customer.id, number=f"A{number}", opened_at=NOW - timedelta(days=400))
    session.add(account)
    session.flush()
    session.add(
        Subscription(
            account_id=account.id,
            product_code="digital_tv",
            monthly_fee_fen=2600,
            started_at=NOW - timedelta(days=400),
        )
    )
    session.flush()
    return customer.id


def campaign(session: Session, *, calls: int = 100, code: str = "spring", **values: Any) -> Campaign:
    given = {
        "name": "春季宽带",
        "purpose": "marketing",
        "goal": "subscribe",
        "starts_on": DAY,
        "ends_on": DAY + timedelta(days=6),
        "holdout_percent": 0,
    }
    return service.create(
        session,
        actor=MARKETING,
        code=code,
        values=given | values,
        offers=[service.OfferPlan("broadband_100", assumed_rate=0.1)],
        calls_per_day={unit(session, "baoji"): calls},
        now=NOW,
    )


def build(session: Session, made: Campaign) -> ListBuild:
    asked = service.request_build(session, made.id, actor=MARKETING, now=NOW)
    return building.carry_out(session, asked, solve, now=NOW)


def run(session: Session, made: Campaign) -> None:
    for name, actor in (("review", MARKETING), ("approve", SUPERVISOR), ("start", MARKETING)):
        service.step(session, made.id, name, actor=actor, now=NOW)


def listed(session: Session, made: Campaign, *states: str) -> set[int]:
    rows = select(CallListEntry.customer_id).where(CallListEntry.campaign_id == made.id)
    rows = rows.where(CallListEntry.state.in_(states or ("waiting",)), CallListEntry.deleted_at.is_(None))
    return set(session.scalars(rows))


def _ticket(session: Session, customer_id: int) -> None:
    values = {"channel_code": "voice", "service_type_code": "complaint", "created_at": NOW, "state": "new"}
    session.add(Ticket(code=f"T{customer_id}", customer_id=customer_id, **values))


def _called_out(session: Session, customer_id: int) -> None:
    for number in range(2):
        session.add(
            Contact(
                channel_code="sms",
                external_id=f"o{customer_id}-{number}",
                direction="out",
                customer_id=customer_id,
                started_at=NOW - timedelta(days=5),
                outcome="answered",
            )
        )


def test_each_gate_takes_out_whom_it_protects(store: Engine) -> None:
    with session_scope(store) as session:
        who = {
            "eligible": add(session, 1),
            "not_active": add(session, 2, status="deceased", left_at=NOW),
            "minor": add(session, 3, birth_year=2010),
            "do_not_call": add(session, 4),
            "no_consent": add(session, 5, consent=None),
            "open_complaint": add(session, 6),
            "suspended": add(session, 7),
            "key_customer": add(session, 8, key_level="gold"),
            "on_a_list": add(session, 9),
            "frequency_cap": add(session, 10),
            "product": add(session, 11),
            "no_phone": add(session, 12, phone=None),
        }
        withdrawn = add(session, 13, consent=True)
        never = Consent(customer_id=withdrawn, channel="voice", purpose="marketing", granted=False, valid_from=DAY)
        by_email = add(session, 14, consent=None)
        elsewhere = Consent(
            customer_id=by_email, channel="email", purpose="marketing", granted=True, valid_from=date(2026, 1, 1)
        )
        session.add_all([never, elsewhere])
        phone = CustomerPhone.customer_id == who["do_not_call"]
        session.execute(update(CustomerPhone).where(phone).values(do_not_call=True))
        session.execute(update(Account).where(Account.customer_id == who["suspended"]).values(status="suspended"))
        _ticket(session, who["open_complaint"])
        _called_out(session, who["frequency_cap"])
        account = session.scalars(select(Account).where(Account.customer_id == who["product"])).one()
        session.add(Subscription(account_id=account.id, product_code="broadband", monthly_fee_fen=5900, started_at=NOW))
        other = campaign(session, code="other", audience_kind="organisation")
        other.audience_kind = "any"
        phone_id = session.scalars(select(CustomerPhone.id).where(CustomerPhone.customer_id == who["on_a_list"])).one()
        session.add(_entry(other, who["on_a_list"], phone_id))
        made = campaign(session)
        effects = service.effects(session, made.id, actor=MARKETING, now=NOW)
        built = build(session, made)
        found = {gate: reading.gate_of(session, made.id, customer) for gate, customer in who.items()}
        assert found == {gate: gate for gate in who}
        assert [reading.gate_of(session, made.id, each) for each in (withdrawn, by_email)] == ["no_consent"] * 2
        assert listed(session, made) == {who["eligible"]}
        assert effects["no_consent"] == 3
        assert sum(effects.values()) == built.candidates == 14
        told = reading.gates_of(session, made)
        assert {gate: told[gate] for gate in effects} == effects
        counted = {gate: reading.left_out(session, made, gate, MARKETING) for gate in told if gate != "listed"}
        assert {gate: total for gate, (total, _) in counted.items()} == {gate: told[gate] for gate in counted}
        assert {key for key, _ in counted["no_consent"][1]} == {who["no_consent"], withdrawn, by_email}


def _entry(made: Campaign, customer_id: int, phone_id: int, **values: Any) -> CallListEntry:
    row = {
        "campaign_id": made.id,
        "customer_id": customer_id,
        "phone_id": phone_id,
        "unit_id": made.unit_id,
        "offer_code": "broadband_100",
        "arm": "call",
        "state": "waiting",
        "version": 1,
        "rank": 1,
        "planned_on": DAY,
        "score": 0.1,
        "value_fen": 100,
        "listed_at": NOW,
    }
    return CallListEntry(**(row | values))


def test_the_holdout_is_never_called_nor_exported(store: Engine) -> None:
    with session_scope(store) as session:
        for number in range(60):
            add(session, number)
        made = campaign(session, holdout_percent=30)
        build(session, made)
        run(session, made)
        held, called = listed(session, made, "held"), listed(session, made)
        assert 8 < len(held) < 30 and not held & called and len(held | called) == 60
        taken = service.next_entries(session, campaign_id=made.id, limit=500, worker="agent", now=NOW)
        assert {entry.customer_id for entry in taken} == called
        entry = session.scalars(select(CallListEntry).where(CallListEntry.customer_id.in_(held))).first()
        assert entry is not None
        assert not service.recheck(session, entry.id, NOW).may_dial
        with pytest.raises(ConflictError, match="held"):
            service.record_outcome(session, entry.id, "accepted", actor=AGENT, external_id="x", now=NOW)
        shown = exchange.export(session, made.id, actor=MARKETING, kind="csv").decode("utf-8-sig")
        codes = {row["customer"] for row in csv.DictReader(io.StringIO(shown))}
        everybody = {row.id: row.code for row in session.scalars(select(Customer))}
        assert codes == {everybody[key] for key in called}
        assert service.history(session, AGENT, entry.customer_id) == []
        entry_id = entry.id
    with pytest.raises(IntegrityError), session_scope(store) as session:
        session.execute(update(CallListEntry).where(CallListEntry.id == entry_id).values(state="waiting"))


def test_the_lot_is_the_same_on_every_machine_and_takes_its_share() -> None:
    import numpy as np

    people = np.arange(1, 100_001)
    held = drawn(people, "campaign:spring", 10)
    assert 0.098 < held.mean() < 0.102
    assert (held == drawn(people, "campaign:spring", 10)).all()
    assert list(np.flatnonzero(held)[:5] + 1) == list(people[held][:5])
    other = drawn(people, "campaign:autumn", 10)
    assert 0.008 < (held & other).mean() < 0.012, "lots of two campaigns are independent"


def test_three_accounts_of_one_number_get_one_call_and_the_most_restrictive_wins(store: Engine) -> None:
    with session_scope(store) as session:
        for number in (1, 2, 3):
            add(session, number, phone="+8613800000001")
        for number in (4, 5):
            add(session, number, phone="+8613800000002")
        complaining = add(session, 6, phone="+8613800000002")
        _ticket(session, complaining)
        three = add(session, 7)
        session.add(Account(customer_id=three, number="second", opened_at=NOW))
        made = campaign(session)
        build(session, made)
        gates = reading.gates_of(session, made)
        assert len(listed(session, made)) == 2, "one for the three, one for the customer with two accounts"
        assert gates["same_number"] == 2
        assert gates["open_complaint"] == 3, "whoever shares the complaining customer's number is left alone"


def test_what_changes_between_building_and_dialling_stops_the_call(store: Engine) -> None:
    with session_scope(store) as session:
        ids = [add(session, number) for number in range(5)]
        made = campaign(session)
        build(session, made)
        run(session, made)
        session.add(Consent(customer_id=ids[0], channel="voice", purpose="marketing", granted=False, valid_from=DAY))
        _ticket(session, ids[1])
        _called_out(session, ids[2])
        taken = service.next_entries(session, campaign_id=made.id, limit=10, worker="agent", now=NOW)
        assert {entry.customer_id for entry in taken} == set(ids[3:])
        stopped = select(CallListEntry.customer_id, CallListEntry.stop_reason).where(CallListEntry.state == "stopped")
        assert {row[0]: row[1] for row in session.execute(stopped)} == {
            ids[0]: "no_consent",
            ids[1]: "open_complaint",
            ids[2]: "frequency_cap",
        }
        # Withdrawn in the very minutes in which the agent reads the preview.
        session.add(
            Consent(
                customer_id=taken[0].customer_id, channel="voice", purpose="marketing", granted=False, valid_from=DAY
            )
        )
        session.flush()
        verdict, number = desk.number_to_dial(session, taken[0].entry_id, actor=AGENT, now=NOW)
        assert (verdict.may_dial, verdict.reason, number) == (False, "no_consent", None)


@pytest.mark.parametrize(
    ("at", "reason"),
    [
        (datetime(2026, 3, 3, 8, 59, tzinfo=LOCAL), "calling_hours"),
        (datetime(2026, 3, 3, 20, 0, tzinfo=LOCAL), "calling_hours"),
        (datetime(2026, 3, 2, 10, 0, tzinfo=LOCAL), "outside_days"),
        (datetime(2026, 4, 5, 10, 0, tzinfo=LOCAL), "calling_hours"),
        (datetime(2026, 3, 3, 9, 0, tzinfo=LOCAL), None),
    ],
    ids=["early", "late", "before", "holiday", "first second"],
)
def test_calls_are_made_in_decent_hours_only(sqlite_url: str, at: datetime, reason: str | None) -> None:
    from core.database import make_engine

    with session_scope(make_engine(url=sqlite_url)) as session:
        add(session, 1)
        made = campaign(session, ends_on=date(2026, 4, 30))
        build(session, made)
        run(session, made)
        entry = session.scalars(select(CallListEntry)).one()
        verdict = service.recheck(session, entry.id, at)
        assert (verdict.may_dial, verdict.reason, verdict.is_final) == (reason is None, reason, False)
        assert bool(service.next_entries(session, campaign_id=made.id, limit=1, worker="a", now=at)) == (reason is None)


def test_no_capacity_gives_an_empty_list_with_its_reasons(store: Engine) -> None:
    with session_scope(store) as session:
        for number in range(4):
            add(session, number)
        add(session, 9, consent=None)
        made = campaign(session, calls=0)
        built = build(session, made)
        gates = reading.gates_of(session, made)
        assert (built.state, built.listed, built.held_out) == ("done", 0, 0)
        assert (gates["no_consent"], gates["eligible"], gates["capacity"]) == (1, 4, 4)
        assert reading.left_out(session, made, "capacity", MARKETING)[0] == 4


def test_capacity_is_a_days_and_shrinks_when_the_forecast_leaves_less(store: Engine) -> None:
    with session_scope(store) as session:
        for number in range(40):
            add(session, number)
        session.add(OutboundCapacity(day=DAY, calls=1, told_by="forecast"))
        made = campaign(session, calls=4)
        assert build(session, made).listed == 1 + 6 * 4
        run(session, made)
        taken = service.next_entries(session, campaign_id=made.id, limit=40, worker="a", now=NOW)
        assert len(taken) == 1, "one call is free today"
        taken = service.next_entries(session, campaign_id=made.id, limit=40, worker="a", now=NOW + timedelta(days=1))
        assert len(taken) == 4


def test_campaigns_share_what_the_forecast_leaves(store: Engine) -> None:
    with session_scope(store) as session:
        for number in range(20):
            add(session, number)
        limit_calls(session, {DAY: 3, DAY + timedelta(days=1): 9}, told_by="an older forecast")
        limit_calls(session, dict.fromkeys([DAY + timedelta(days=day) for day in range(7)], 2), told_by="forecast")
        first = campaign(session, calls=1)
        assert build(session, first).listed == 7
        run(session, first)
        second = campaign(session, calls=4, code="summer")
        assert build(session, second).listed == 7, "one call a day is left beside the first campaign's"
        run(session, second)
        for made in (first, second):
            (entry,) = service.next_entries(session, campaign_id=made.id, limit=9, worker="a", now=NOW)
            service.record_outcome(session, entry.entry_id, "no_answer", actor=AGENT, external_id="1", now=NOW)
        later = NOW + timedelta(hours=5)
        assert not service.next_entries(session, campaign_id=second.id, limit=9, worker="a", now=later)


def test_a_rebuilt_list_is_the_same_and_never_calls_anybody_twice(store: Engine) -> None:
    with session_scope(store) as session:
        for number in range(30):
            add(session, number)
        made = campaign(session, calls=3, holdout_percent=20)
        build(session, made)
        gates = reading.gates_of(session, made)
        for end in ("holdout", "capacity"):
            assert reading.left_out(session, made, end, MARKETING)[0] == gates[end] > 0
        first = _standing(session, made)
        build(session, made)
        assert _standing(session, made) == first
        run(session, made)
        called = service.next_entries(session, campaign_id=made.id, limit=3, worker="agent", now=NOW)
        for entry in called:
            service.record_outcome(session, entry.entry_id, "refused", actor=AGENT, external_id="1", now=NOW)
        held = listed(session, made, "held")
        service.step(session, made.id, "reopen", actor=MARKETING, now=NOW)
        service.change(session, made.id, actor=MARKETING, values={"holdout_percent": 0})
        build(session, made)
        waiting = listed(session, made)
        assert not waiting & {entry.customer_id for entry in called}
        assert not waiting & held, "who was held out of an approved list stays held out"
        assert session.scalar(select(func.count()).select_from(CallListEntry)) == len(
            set(session.scalars(select(CallListEntry.customer_id)))
        )


def _standing(session: Session, made: Campaign) -> list[tuple[Any, ...]]:
    names = ("customer_id", "arm", "state", "rank", "planned_on", "offer_code", "value_fen")
    rows = select(*(getattr(CallListEntry, name) for name in names)).where(CallListEntry.campaign_id == made.id)
    return [tuple(row) for row in session.execute(rows.order_by(CallListEntry.customer_id))]


def test_a_second_person_approves_what_was_built_of_the_present_version(store: Engine) -> None:
    with session_scope(store) as session:
        add(session, 1)
        made = campaign(session)
        with pytest.raises(ConflictError, match="draft"):
            service.step(session, made.id, "review", actor=MARKETING)
        build(session, made)
        service.change(session, made.id, actor=MARKETING, values={"script": "您好"})
        with pytest.raises(ConflictError, match="draft"):
            service.step(session, made.id, "review", actor=MARKETING)
        build(session, made)
        service.step(session, made.id, "review", actor=MARKETING)
        with pytest.raises(NotAllowedError, match="second person"):
            service.step(session, made.id, "approve", actor=MARKETING)
        service.step(session, made.id, "approve", actor=SUPERVISOR)
        with pytest.raises(ConflictError, match="Reopen"):
            service.change(session, made.id, actor=MARKETING, values={"script": "x"})
        acts = set(session.scalars(select(AuditEntry.action).where(AuditEntry.object_type == "campaign")))
        assert acts >= {"campaign.created", "campaign.built", "campaign.changed", "campaign.review", "campaign.approve"}


def test_outcomes_are_told_once_retried_and_a_never_holds_for_the_number(store: Engine) -> None:
    with session_scope(store) as session:
        ids = [add(session, number) for number in range(4)]
        add(session, 8, consent=None, phone="+8613000000003")
        made = campaign(session, max_attempts=2, retry_minutes=60)
        build(session, made)
        run(session, made)
        taken = {
            entry.customer_id: entry.entry_id
            for entry in service.next_entries(session, campaign_id=made.id, limit=9, worker="agent", now=NOW)
        }

        def tell(customer: int, outcome: str, key: str, at: datetime = NOW, **values: Any) -> None:
            service.record_outcome(session, taken[customer], outcome, actor=AGENT, external_id=key, now=at, **values)

        for _ in range(2):
            tell(ids[0], "no_answer", "first")
        entry = session.get_one(CallListEntry, taken[ids[0]])
        assert (entry.state, entry.attempts, entry.next_attempt_at) == ("waiting", 1, NOW + timedelta(minutes=60))
        later = NOW + timedelta(hours=1)
        again = service.next_entries(session, campaign_id=made.id, limit=9, worker="agent", now=later)
        assert again[0].customer_id == ids[0], "a second try comes before entries that nobody promised"
        tell(ids[0], "busy", "second", later)
        assert (entry.state, entry.outcome) == ("done", "busy")
        with pytest.raises(InvalidError, match="callback_at"):
            tell(ids[1], "callback", "c")
        tell(ids[1], "callback", "c", callback_at=NOW + timedelta(days=1))
        assert session.get_one(CallListEntry, taken[ids[1]]).next_attempt_at == NOW + timedelta(days=1)
        tell(ids[2], "accepted", "a")
        with pytest.raises(ConflictError, match="done"):
            tell(ids[2], "accepted", "b")
        assert ids[3] not in taken, "whose number a refusing account shares is not on the list"
        assert reading.outcomes(session, made.id) == {"no_answer": 1, "busy": 1, "callback": 1, "accepted": 1}
        item = service.history(session, AGENT, ids[2])[0]
        assert (item.outcome, item.attempts, item.campaign_name) == ("accepted", 1, "春季宽带")


def test_never_call_again_closes_the_number_for_every_campaign(store: Engine) -> None:
    with session_scope(store) as session:
        customer = add(session, 1)
        made = campaign(session)
        build(session, made)
        run(session, made)
        (entry,) = service.next_entries(session, campaign_id=made.id, limit=1, worker="agent", now=NOW)
        desk.tell_outcome(session, entry.entry_id, "do_not_call", actor=AGENT, external_id="1", now=NOW)
        service.step(session, made.id, "finish", actor=MARKETING, now=NOW)
        other = campaign(session, code="next")
        assert gather(session, reading.plan_of(session, other), now=NOW).gates["do_not_call"] == 1
        contact = session.scalars(select(Contact).where(Contact.customer_id == customer)).one()
        assert (contact.direction, contact.service_type_code) == ("out", "proactive_service")


def test_an_entry_belongs_to_who_took_it_until_time_runs_out(store: Engine) -> None:
    with session_scope(store) as session:
        add(session, 1)
        made = campaign(session)
        build(session, made)
        run(session, made)
        (entry,) = service.next_entries(session, campaign_id=made.id, limit=1, worker="agent", now=NOW)
        assert not service.next_entries(session, campaign_id=made.id, limit=1, worker="other", now=NOW)
        stranger = Actor(username="other", role="agent", unit_id=1, unit_kind="province")
        with pytest.raises(NotFoundError):
            desk.tell_outcome(session, entry.entry_id, "accepted", actor=stranger, external_id="1", now=NOW)
        later = NOW + timedelta(minutes=campaign_settings().reserve_minutes)
        assert service.next_entries(session, campaign_id=made.id, limit=1, worker="other", now=later)


def test_files_are_masked_audited_harmless_and_read_once(store: Engine) -> None:
    with session_scope(store) as session:
        add(session, 1, name="=HYPERLINK(1)")
        made = campaign(session)
        build(session, made)
        with pytest.raises(NotAllowedError, match="approved"):
            exchange.export(session, made.id, actor=MARKETING, kind="csv")
        run(session, made)
        with pytest.raises(NotAllowedError, match="masked"):
            exchange.export(session, made.id, actor=MARKETING, kind="csv", reason="外包呼叫")
        masked = exchange.export(session, made.id, actor=MARKETING, kind="csv").decode("utf-8-sig")
        clear = exchange.export(session, made.id, actor=SUPERVISOR, kind="csv", may_reveal=True, reason="外包呼叫")
        (row,) = csv.DictReader(io.StringIO(masked))
        (open_row,) = csv.DictReader(io.StringIO(clear.decode("utf-8-sig")))
        assert (row["number"], row["name"][:2]) == ("130****0001", "'=")
        assert (open_row["number"], open_row["name"]) == ("8613000000001", "'=HYPERLINK(1)")
        assert exchange.export(session, made.id, actor=MARKETING, kind="xlsx").startswith(b"PK")
        audited = session.scalars(select(AuditEntry).where(AuditEntry.action == "campaign.exported")).all()
        assert [entry.reason for entry in audited] == [None, "外包呼叫", None]
        lines = [f"{row['entry']},accepted,2026-03-03 11:00,好", "999999,refused,2026-03-03 11:00,"]
        text = "\n".join(["entry,outcome,called_at,note", *lines])
        reads = [exchange.import_outcomes(session, made.id, text.encode(), actor=MARKETING) for _ in range(2)]
        assert [(read.taken, read.known, len(read.refused)) for read in reads] == [(1, 0, 1), (0, 1, 1)]
        with pytest.raises(InvalidError, match="outcome"):
            exchange.import_outcomes(session, made.id, b"entry\n1\n", actor=MARKETING)


def test_the_worker_takes_a_waiting_build_and_writes_down_what_failed(store: Engine) -> None:
    with session_scope(store) as session:
        add(session, 1)
        made = campaign(session, starts_on=date(2026, 3, 3), ends_on=date(2027, 2, 28))
        service.request_build(session, made.id, actor=MARKETING, now=NOW)
        assert service.request_build(session, made.id, actor=MARKETING).id == 1, "a waiting build is the build"
    built = building.build_next(store, solve)
    assert built is not None and (built.state, built.listed) == ("done", 1)
    assert building.build_next(store, solve) is None
    with session_scope(store) as session:
        asked = service.request_build(session, 1, actor=MARKETING)
        service.change(session, 1, actor=MARKETING, values={"script": "x"})
        assert asked.version == 1
    failed = building.build_next(store, solve)
    assert failed is not None and failed.state == "failed" and "changed" in (failed.failure or "")

"""A small world: the same set of rows for a customer of 宝鸡 (own) and one of 咸阳 (foreign to 宝鸡)."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.actor import Actor
from crm_api.analysis.models import Annotation
from crm_api.attachments import service as attachments
from crm_api.campaigns import service as campaigns
from crm_api.contacts.models import Contact
from crm_api.customers import groups, merging
from crm_api.customers.models import (
    Account,
    Consent,
    Customer,
    CustomerAddress,
    CustomerEmail,
    CustomerPhone,
    Subscription,
)
from crm_api.customers.search_keys import refresh
from crm_api.organisation.models import OrgUnit, Township
from crm_api.scores.models import KeyLevelProposal
from crm_api.subscriptions.models import ReportSubscription
from crm_api.suggestions.models import EmergingTopic
from crm_api.tickets import service as tickets
from crm_api.tickets.models import Ticket
from crm_api.webhooks.models import WebhookEndpoint

_PROVINCE = Actor(username="world", role="supervisor", unit_id=1, unit_kind="province")
START = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
Side = Literal["own", "foreign"]

PEOPLE: dict[Side, dict[str, str]] = {
    "own": {
        "unit": "baoji",
        "code": "C0000001",
        "name": "张伟",
        "identity": "610302198001010015",
        "mobile": "+8613891234567",
        "landline": "+869173260000",
        "account": "6000000001",
        "card": "8100000001",
        "email": "zhang.wei@example.com",
        "address": "经二路12号3单元501",
    },
    "foreign": {
        "unit": "xianyang",
        "code": "C0000002",
        "name": "李娜",
        "identity": "610402198502020026",
        "mobile": "+8613572345678",
        "landline": "+862933550000",
        "account": "6000000002",
        "card": "8100000002",
        "email": "li.na@example.com",
        "address": "人民中路8号",
    },
}


@dataclass(frozen=True)
class World:
    """Ids by kind of row and side."""

    ids: dict[tuple[str, Side], int]

    def __getitem__(self, key: tuple[str, Side]) -> int:
        """The id of the row of that kind on that side."""
        return self.ids[key]


def add_customer(session: Session, person: dict[str, str], **values: object) -> Customer:
    """A customer with phones, address, account, subscription, consent and e-mail."""
    unit = session.scalars(select(OrgUnit).where(OrgUnit.code == person["unit"])).one()
    customer = Customer(
        **{
            "code": person["code"],
            "kind": "person",
            "unit_id": unit.id,
            "name": person["name"],
            "identity_number": person.get("identity"),
            "registered_at": START,
        }
        | values
    )
    session.add(customer)
    session.flush()
    own = {"customer_id": customer.id}
    if "mobile" in person:
        session.add(CustomerPhone(**own, e164=person["mobile"], kind="mobile", is_primary=True))
    if "landline" in person:
        session.add(CustomerPhone(**own, e164=person["landline"], kind="landline"))
    if "email" in person:
        session.add(CustomerEmail(**own, address=person["email"], is_primary=True))
    if "address" in person:
        session.add(CustomerAddress(**own, detail=person["address"], is_primary=True))
    if "account" in person:
        account = Account(**own, number=person["account"], balance_fen=12_50, opened_at=START)
        session.add(account)
        session.flush()
        session.add(
            Subscription(
                account_id=account.id,
                product_code="digital_tv",
                smart_card=person["card"],
                monthly_fee_fen=26_00,
                started_at=START,
            )
        )
    session.add(Consent(**own, channel="voice", purpose="service", granted=True, valid_from=date(2026, 1, 1)))
    session.flush()
    refresh(session, [customer.id])
    return customer


def build_world(session: Session) -> World:
    """Add both sides; their ids."""
    ids: dict[tuple[str, Side], int] = {}
    for side, person in PEOPLE.items():
        customer = add_customer(session, person)
        contact = Contact(
            channel_code="voice",
            external_id=f"world-{side}",
            customer_id=customer.id,
            unit_id=customer.unit_id,
            started_at=START,
            outcome="answered",
            remote_address=person["mobile"],
        )
        session.add(contact)
        session.flush()
        ticket = Ticket(
            code=f"W-{side}",
            contact_id=contact.id,
            customer_id=customer.id,
            channel_code="voice",
            service_type_code="complaint",
            unit_id=customer.unit_id,
            state="dispatched",
            title="机顶盒无信号",
            created_at=START,
        )
        session.add(ticket)
        session.flush()
        ids |= {("customer", side): customer.id, ("contact", side): contact.id, ("ticket", side): ticket.id}
        # Opened through the loop, so it has a history and clocks; of no customer, so their pages stay as they are.
        opened = {"channel_code": "voice", "service_type_code": "complaint", "unit_id": customer.unit_id}
        ids[("work", side)] = tickets.create(session, actor=_PROVINCE, values=opened).id
        ids[("attachment", side)] = attachments.add(
            session,
            actor=_PROVINCE,
            owner="ticket",
            owner_id=ids[("work", side)],
            name="现场.txt",
            content=f"{side}：无信号".encode(),
        ).id
        merged = add_customer(session, {**person, "code": f"{person['code']}M", "account": f"{person['account']}1"})
        merge = merging.merge(session, survivor_id=customer.id, merged_id=merged.id, reason="重复建档", actor=_PROVINCE)
        merging.undo(session, merge.id, actor=_PROVINCE)
        merged.deleted_at = START
        refresh(session, [merged.id])
        ids[("merge", side)] = merge.id
        ids[("unit", side)] = customer.unit_id or 0
        group = groups.create(session, code=f"world-{side}", name="酒店集团", unit_id=customer.unit_id, actor=_PROVINCE)
        ids[("group", side)] = group.id
        subscription = ReportSubscription(
            kind="weekly", unit_id=customer.unit_id, email=f"{side}@example.com", language="zh-CN", forms="pdf",
            created_by="boss", created_at=START,
        )  # fmt: skip
        session.add(subscription)
        session.flush()
        ids[("subscription", side)] = subscription.id
        note = Annotation(
            unit_id=customer.unit_id, first_day=START.date(), last_day=START.date(), text="光缆中断",
            created_by="boss", created_at=START,
        )  # fmt: skip
        session.add(note)
        session.flush()
        ids[("annotation", side)] = note.id
    ids |= {("proposal", side): _proposal(session, ids[("customer", side)], ids[("unit", side)]) for side in PEOPLE}
    ids |= {("campaign", side): _campaign(session, side, ids[("unit", side)]) for side in PEOPLE}
    hook = WebhookEndpoint(
        url="https://hooks.example.com/", events="customer.merged", secret="s", created_at=START, created_by="boss"
    )
    session.add(hook)
    session.flush()
    ids |= {("webhook", "own"): hook.id, ("webhook", "foreign"): hook.id}
    topic = EmergingTopic(
        terms=["遥控器失灵"], tickets=[], first_seen=date(2026, 3, 1), last_seen=date(2026, 3, 1), found_at=START,
        state="dismissed",
    )  # fmt: skip
    session.add(topic)
    session.flush()
    ids |= {("topic", "own"): topic.id, ("topic", "foreign"): topic.id}
    return World(ids)


def _proposal(session: Session, customer_id: int, unit_id: int) -> int:
    """A proposed addition to the key customers."""
    made = KeyLevelProposal(
        customer_id=customer_id,
        unit_id=unit_id,
        from_level=session.get_one(Customer, customer_id).key_level,
        to_level="gold",
        score=71.5,
        parts={"revenue": 40.0, "outlook": 20.0, "size": 5.0, "breadth": 2.5, "loyalty": 4.0},
        version="1",
        as_of=date(2026, 3, 1),
        proposed_at=START,
    )
    session.add(made)
    session.flush()
    return made.id


def _campaign(session: Session, side: Side, unit_id: int) -> int:
    """A draft that calls the customers of one branch."""
    made = campaigns.create(
        session,
        actor=_PROVINCE,
        code=f"world-{side}",
        values={
            "name": "老客户回馈",
            "purpose": "marketing",
            "goal": "stay",
            "starts_on": date(2026, 3, 2),
            "ends_on": date(2026, 3, 31),
        },
        offers=[campaigns.OfferPlan("loyalty_credit")],
        calls_per_day={unit_id: 10},
    )
    return made.id


def add_township(session: Session, unit_code: str, name: str) -> Township:
    """A township of a unit."""
    unit = session.scalars(select(OrgUnit).where(OrgUnit.code == unit_code)).one()
    township = Township(code=f"{unit_code}.{name}", unit_id=unit.id, name_zh=name, name_en=name)
    session.add(township)
    session.flush()
    return township

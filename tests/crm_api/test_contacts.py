"""One door for every channel: a contact enters once, finds its customer only when there is no doubt."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine, func, select

from core.database import session_scope
from crm_api.contacts.models import Channel, Contact
from crm_api.contacts.service import ContactPayload, change_contact, get_contact, receive, texts
from crm_api.customers.models import Customer
from crm_api.errors import ConflictError, InvalidError, NotFoundError
from tests.crm_api.conftest import actor_named
from tests.crm_api.world import PEOPLE, START, World, add_customer


def test_every_channel_enters_by_the_same_door_once(populated: tuple[Engine, World]) -> None:
    engine, _ = populated
    agent = actor_named(engine, "agent")
    with session_scope(engine) as session:
        channels = session.scalars(select(Channel.code)).all()
        for channel in channels:
            told = [
                receive(session, channel=channel, external_id="once", payload=payload, actor=agent)
                for payload in (ContactPayload(START), ContactPayload(START + timedelta(hours=1)))
            ]
            assert [each.is_new for each in told] == [True, False]
            assert told[0].contact.id == told[1].contact.id
            assert told[1].contact.started_at == START, "a repetition changes nothing"
        assert session.scalar(select(func.count()).where(Contact.external_id == "once")) == len(channels)


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("138 9123 4567", "C0000001"),
        ("0917-3260000", "C0000001"),
        ("Li.Na@Example.com", "C0000002"),
        ("13000000000", None),
        ("nobody@example.com", None),
        ("not an address at all", None),
        (None, None),
    ],
)
def test_a_unique_address_names_the_customer(
    populated: tuple[Engine, World], address: str | None, code: str | None
) -> None:
    engine, _ = populated
    with session_scope(engine) as session:
        payload = ContactPayload(START, remote_address=address)
        got = receive(session, channel="sms", external_id="1", payload=payload, actor=actor_named(engine, "agent"))
        customer = session.get(Customer, got.contact.customer_id) if got.contact.customer_id else None
        assert (customer.code if customer else None) == code
        assert got.contact.unit_id == (customer.unit_id if customer else None)


def test_a_shared_number_offers_all_and_chooses_none(populated: tuple[Engine, World]) -> None:
    engine, _ = populated
    with session_scope(engine) as session:
        add_customer(session, {"unit": "baoji", "code": "S1", "name": "张小妹", "mobile": PEOPLE["own"]["mobile"]})
        payload = ContactPayload(START, remote_address=PEOPLE["own"]["mobile"])
        got = receive(session, channel="voice", external_id="9", payload=payload, actor=actor_named(engine, "agent"))
        assert got.contact.customer_id is None
        assert {match.customer.code for match in got.candidates} == {"C0000001", "S1"}


def test_a_branch_takes_in_only_its_own(populated: tuple[Engine, World]) -> None:
    engine, world = populated
    handler = actor_named(engine, "baoji_handler")

    def take(**values: object) -> Contact:
        with session_scope(engine) as session:
            payload = ContactPayload(START, **values)  # type: ignore[arg-type]  # as each case sets
            return receive(session, channel="walk_in", external_id="w1", payload=payload, actor=handler).contact

    for values in ({"customer_id": world[("customer", "foreign")]}, {"unit_id": world[("unit", "foreign")]}):
        with pytest.raises(InvalidError):
            take(**values)
    assert take().unit_id == handler.unit_id
    with session_scope(engine) as session, pytest.raises(ConflictError):
        receive(session, channel="voice", external_id="world-foreign", payload=ContactPayload(START), actor=handler)
    with session_scope(engine) as session, pytest.raises(NotFoundError):
        get_contact(session, world[("contact", "foreign")], handler)


def test_what_is_learnt_later_is_added(populated: tuple[Engine, World]) -> None:
    engine, world = populated
    agent = actor_named(engine, "agent")
    with session_scope(engine) as session:
        payload = ContactPayload(START, text="机顶盒无信号", subject="故障")
        contact = receive(session, channel="email", external_id="e1", payload=payload, actor=agent).contact
        changes = {"customer_id": world[("customer", "own")], "service_type_code": "complaint", "text": "已回电"}
        change_contact(session, contact, changes, actor=agent, origin=None)
        assert contact.unit_id == world[("unit", "own")]
        assert [(row.body, row.author) for row in texts(session, contact)] == [
            ("机顶盒无信号", None),
            ("已回电", "agent"),
        ]
        with pytest.raises(InvalidError):
            change_contact(session, contact, {"ended_at": START - timedelta(seconds=1)}, actor=agent, origin=None)

"""The store keeps its promises on both databases: versions rise, nothing is hard-deleted, init repeats."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine, func, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from core.database import session_scope
from crm_api.base import captured_tables
from crm_api.contacts.models import Contact
from crm_api.customers.models import Customer
from crm_api.organisation.models import CalendarDay, OrgUnit
from crm_api.reference.service import load_reference
from crm_api.store import migrate

START = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


def _contact(**values: object) -> Contact:
    defaults = {"channel_code": "voice", "external_id": "1", "started_at": START, "outcome": "answered"}
    return Contact(**(defaults | values))


def test_init_repeats_without_writing(store: Engine) -> None:
    migrate(store)
    with session_scope(store) as session:
        assert load_reference(session) == 0
        assert session.scalar(select(func.count()).where(OrgUnit.kind == "city")) == 11
        assert session.scalar(select(func.count()).where(OrgUnit.kind == "county")) == 107


def test_a_correction_by_a_person_survives_init(store: Engine) -> None:
    with session_scope(store) as session:
        day = session.scalars(select(CalendarDay).where(CalendarDay.calendar_code == "office").limit(1)).one()
        day.follows_weekday, day.is_correction = 3, True
        corrected = day.id
    with session_scope(store) as session:
        assert load_reference(session) == 0
        assert session.get_one(CalendarDay, corrected).follows_weekday == 3


def test_each_write_gets_a_higher_version(store: Engine) -> None:
    versions = []
    with session_scope(store) as session:
        session.add(_contact())
    for ended in range(3):
        with session_scope(store) as session:
            contact = session.scalars(select(Contact)).one()
            versions.append(contact.row_version)
            contact.ended_at = datetime(2026, 3, 2, 2, ended, tzinfo=UTC)
    assert versions == sorted(set(versions))
    assert versions[0] > 0


def test_captured_rows_are_never_deleted(store: Engine) -> None:
    with session_scope(store) as session:
        session.add(_contact())
    with pytest.raises(DBAPIError, match="never deleted"), store.begin() as connection:
        connection.execute(text("DELETE FROM contacts"))


def test_every_captured_table_has_its_triggers(store: Engine) -> None:
    query = (
        "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        if store.dialect.name == "sqlite"
        else "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal"
    )
    with store.connect() as connection:
        triggers = set(connection.scalars(text(query)))
    for table in captured_tables():
        assert f"{table.name}_no_delete" in triggers, table.name


def test_instants_come_back_aware_in_utc(store: Engine) -> None:
    with session_scope(store) as session:
        session.add(_contact())
    with session_scope(store) as session:
        assert session.scalars(select(Contact.started_at)).one() == START
        assert session.scalars(select(Contact)).one().started_at.tzinfo is UTC


@pytest.mark.parametrize(
    ("values", "constraint"),
    [
        ({"ended_at": datetime(2026, 3, 2, 0, 59, tzinfo=UTC)}, "not_before_start"),
        ({"outcome": "guessed"}, "outcome_known"),
        ({"outcome": "blocked"}, "blocked_has_a_reason"),
        ({"channel_code": "pigeon"}, "(?i)foreign key"),
    ],
)
def test_the_schema_refuses(store: Engine, values: dict[str, object], constraint: str) -> None:
    with pytest.raises(IntegrityError, match=constraint), session_scope(store) as session:
        session.add(_contact(**values))


def test_the_same_contact_of_a_channel_is_one_row(store: Engine) -> None:
    with pytest.raises(IntegrityError), session_scope(store) as session:
        session.add_all([_contact(), _contact()])


def test_who_left_has_a_time(store: Engine) -> None:
    with pytest.raises(IntegrityError, match="left_has_a_time"), session_scope(store) as session:
        session.add(Customer(code="1", kind="person", status="left", registered_at=START))

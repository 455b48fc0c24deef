"""The store as the IVR uses it: an answer within half a second or none; what is written is tried again."""

import threading
import time
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine, select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from core.database import make_engine, session_scope
from crm_api.contacts.models import Contact, SurveyAnswer
from crm_api.organisation.models import OrgUnit
from crm_api.routing import ivr
from crm_api.routing.callers import _cities as cities_of
from crm_api.routing.callers import analyse_prefix, city_of_called, look_up
from telephony.ivr.store_access import Lookups, Writer, impatient_engine


def test_a_slow_store_is_given_up_in_half_a_second(store: Engine) -> None:
    lookups = Lookups(store)
    began = time.monotonic()
    assert lookups.within(lambda session: time.sleep(3)) is None
    assert time.monotonic() - began < 0.9


def test_a_store_that_hangs_for_everybody_still_costs_each_half_a_second(store: Engine) -> None:
    lookups, release = Lookups(store, seconds=0.3), threading.Event()
    longest: list[float] = []

    def call() -> None:
        began = time.monotonic()
        assert lookups.within(lambda session: release.wait(10)) is None
        longest.append(time.monotonic() - began)

    callers = [threading.Thread(target=call) for _ in range(80)]
    for one in callers:
        one.start()
    for one in callers:
        one.join()
    assert max(longest) < 2.0
    release.set()


@pytest.mark.postgresql
def test_postgresql_itself_ends_what_was_given_up(postgresql_url: str) -> None:
    engine = impatient_engine(postgresql_url)
    lookups = Lookups(engine)
    for _ in range(40):
        assert lookups.within(lambda session: session.execute(text("SELECT 1")).scalar()) == 1
    assert lookups.within(lambda session: session.execute(text("SELECT pg_sleep(30)"))) is None
    time.sleep(1)
    admin = make_engine(url=postgresql_url)
    with admin.connect() as connection:
        asked = text("SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(30)%' AND state = 'active'")
        assert connection.scalar(asked) == 1, "only this question itself"
    admin.dispose()
    engine.dispose()


def test_what_the_store_refuses_for_the_moment_is_written_later(store: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    from telephony.ivr import store_access

    monkeypatch.setattr(store_access, "_RETRY_SECONDS", 0.05)
    at, tries = datetime.now(UTC), []
    writer = Writer(store)

    def refused_twice(session: Session) -> None:
        tries.append(1)
        if len(tries) < 3:
            raise OperationalError("x", {}, Exception("away"))
        ivr.record_path(
            session,
            external_id="1.1",
            number="13800000001",
            called="96766",
            customer_id=None,
            started_at=at,
            left_at=at,
            steps=[ivr.Step("main", "1", at)],
        )

    # The answer comes before its call is there: it is put off.
    writer.put(lambda session: ivr.record_survey(session, external_id="1.1", score=5, asked_at=at, at=at))
    writer.put(refused_twice)
    time.sleep(1)
    writer.close()
    with session_scope(store) as session:
        contact = session.scalars(select(Contact)).one()
        assert session.scalars(select(SurveyAnswer.contact_id)).all() == [contact.id]
        assert [(one.node, one.choice) for one in ivr.path_of(session, contact.id)] == [("main", "1")]
    assert len(tries) == 3


@pytest.mark.parametrize(
    ("e164", "expected"),
    [
        ("+862988880000", ("xian", False)),
        ("+869178880000", ("baoji", False)),
        ("+8613571234567", ("yulin", False)),
        ("+8613800138000", (None, True)),
        ("+861088880000", (None, True)),
        ("+4930123456", (None, True)),
        (None, (None, False)),
    ],
)
def test_a_prefix_names_the_city_or_the_distance(
    sqlite_url: str, e164: str | None, expected: tuple[str | None, bool]
) -> None:
    engine = make_engine(url=sqlite_url)
    with session_scope(engine) as session:
        cities = cities_of(session)
        assert len(cities) == len(session.scalars(select(OrgUnit.id).where(OrgUnit.kind == "city")).all())
        assert analyse_prefix(e164, cities) == expected
        assert city_of_called("02996766", cities) == "xian"
        assert city_of_called("96766", cities) is None
        assert look_up(session, "").number == ""
    engine.dispose()

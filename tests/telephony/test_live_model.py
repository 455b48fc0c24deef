"""Lines that arrive one by one, late, twice or in any order leave the same calls as the whole log read at once."""

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, select

from core.database import session_scope
from crm_api.contacts.call_records import CallRecord, Directory, store_calls
from crm_api.contacts.models import Call, Contact, QueueVisit
from crm_api.tickets.models import Ticket
from telephony.call_model import build_calls
from telephony.live import LiveModel
from telephony.queue_log import QueueEvent
from telephony.reconcile import reconcile
from telephony.to_store import call_records, caller_numbers
from tests.telephony.test_call_model import CASES, _events

CONSULTATION = CASES["attended transfer into a second queue (Asterisk issue 759)"][0]


def _whole(events: list[QueueEvent]) -> dict[str, CallRecord]:
    return {one.external_id: one for one in call_records(build_calls(events), caller_numbers(events))}


@settings(deadline=None)
@given(st.sampled_from(sorted(CASES)), st.data())
def test_in_whatever_order_and_pieces_lines_arrive_the_calls_are_those_of_the_log(
    name: str, data: st.DataObject
) -> None:
    events = _events(CASES[name][0])
    lines = data.draw(st.permutations(events + data.draw(st.lists(st.sampled_from(events), max_size=4))))
    model, told = LiveModel(), {}
    while lines:
        size = data.draw(st.integers(1, len(lines)))
        model.feed(lines[:size])
        del lines[:size]
        # Nothing is forgotten yet: what is late may be as late as it likes.
        for record in model.changed_calls(0):
            told[record.external_id] = record
            for part in record.absorbed:
                told.pop(part, None)
    assert told == _whole(events)


def test_a_consultation_is_part_of_its_call_though_it_was_told_as_one_of_its_own(store: Engine, tmp_path: Path) -> None:
    events, model = _events(CONSULTATION), LiveModel()
    with session_scope(store) as session:
        for number, event in enumerate(events):
            model.feed([event])
            store_calls(session, model.changed_calls(event.at), directory=Directory(session, create=True))
            if number == 2:
                part = session.scalars(select(Contact).where(Contact.external_id == "consult")).one()
                values = {"channel_code": "voice", "service_type_code": "complaint", "state": "new"}
                session.add(Ticket(code="T1", contact_id=part.id, created_at=part.started_at, **values))
                session.flush()
    with session_scope(store) as session:
        contact = session.scalars(select(Contact).where(Contact.deleted_at.is_(None))).one()
        assert contact.external_id == "orig"
        assert session.scalars(select(Call.contact_id).where(Call.deleted_at.is_(None))).all() == [contact.id]
        assert session.scalars(select(Ticket.contact_id)).all() == [contact.id]
        visits = session.scalars(select(QueueVisit).where(QueueVisit.deleted_at.is_(None))).all()
        assert [(one.contact_id, one.exit_class) for one in visits] == [(contact.id, "answered")] * 2
    log = tmp_path / "queue_log"
    log.write_text("\n".join(line.strip() for line in CONSULTATION.strip().splitlines()) + "\n")
    residuals, summary = reconcile(store, [log], rejected=tmp_path)
    assert (summary.calls.added, summary.calls.changed) == (0, 0)
    assert sum(one.calls_differing + one.visits_extra for one in residuals.values()) == 0


def test_a_log_takes_back_a_consultation_that_was_told_live_and_then_missed(store: Engine, tmp_path: Path) -> None:
    events, model = _events(CONSULTATION), LiveModel()
    with session_scope(store) as session:
        model.feed(events[:3])
        store_calls(session, model.changed_calls(1101), directory=Directory(session, create=True))
    log = tmp_path / "queue_log"
    log.write_text("\n".join(line.strip() for line in CONSULTATION.strip().splitlines()) + "\n")
    residuals, _ = reconcile(store, [log], rejected=tmp_path)
    assert sum(one.calls_differing for one in residuals.values()) == 1
    with session_scope(store) as session:
        kept = (
            select(Contact.external_id, QueueVisit.visit_number)
            .join(QueueVisit)
            .where(Contact.deleted_at.is_(None), QueueVisit.deleted_at.is_(None))
        )
        assert sorted(session.execute(kept).all()) == [("orig", 1), ("orig", 2)]

"""The store's agents' states, corrected by our own log."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy.orm import Session

from crm_api.contacts.call_records import Directory
from crm_api.routing.phones import PAUSE_REASONS
from crm_api.workforce.state_records import StateRecord, captured_states, store_states
from telephony.call_model import Visit
from telephony.observed_time import OPEN, corrected_states
from telephony.queue_log import QueueEvent
from telephony.state_interval import StateInterval
from telephony.to_store import instant, wrap_up_of_queues

#: What began before the log is told in it (a ring, a conversation) by so many seconds at most.
_REACHES_BACK = 3600
_INSTANT = timedelta(microseconds=1)


def correct_states(
    session: Session, events: Sequence[QueueEvent], visits: Sequence[Visit], directory: Directory
) -> int:
    """Correct the states of the agents whom the log names, keep what only the live stream knew; rows written.

    Doing it again changes nothing. The caller commits.
    """
    first, last = min(event.at for event in events), max(event.at for event in events)
    since = min([first, *(one.entered_at for one in visits)]) - _REACHES_BACK
    wrap_up = wrap_up_of_queues(session)
    told: dict[str, list[QueueEvent]] = defaultdict(list)
    for event in set(events):
        if event.agent not in ("", "NONE"):
            told[event.agent].append(event)
    talks: dict[str, list[Visit]] = defaultdict(list)
    for visit in visits:
        talks[visit.agent or ""].append(visit)
    written = 0
    for agent in sorted(told):
        agent_id = directory.agent(agent)
        if agent_id is None:
            continue
        stored = captured_states(session, agent_id, since=instant(since), until=instant(last))
        seen = [_interval(agent, one) for one in stored]
        paid: dict[str, bool | None] = {one.pause_reason: one.pause_paid for one in stored if one.pause_reason}
        paid.update(PAUSE_REASONS)
        states = corrected_states(agent, told[agent], talks[agent], seen, window=(first, last), wrap_up_seconds=wrap_up)
        records = [_record(agent_id, one, paid) for one in states]
        if records:
            # What began after the log is not its matter.
            later = min((one.started_at for one in stored if one.started_at > instant(last)), default=None)
            until = later - _INSTANT if later else max(instant(last), records[-1].started_at)
            written += store_states(session, records, window=(records[0].started_at, until))
    return written


def _interval(agent: str, one: StateRecord) -> StateInterval:
    ended = OPEN if one.ended_at is None else int(one.ended_at.timestamp())
    return StateInterval(agent, one.state, int(one.started_at.timestamp()), ended, one.pause_reason)


def _record(agent_id: int, one: StateInterval, paid: dict[str, bool | None]) -> StateRecord:
    ended = None if one.ended_at >= OPEN else instant(one.ended_at)
    reason = one.pause_reason
    return StateRecord(agent_id, one.state, instant(one.started_at), ended, reason, paid.get(reason or ""))

"""`crm telephony dial`: callbacks and call lists through the PBX, paced by the agents who are free.

Progressive: the customer is rung first, at once with an agent of the queue. Preview: the agent is rung first, sees
who it is, and the customer is rung when they answer. Every call is checked again right before it is dialled.
"""

import logging
import queue
import threading
import time
from dataclasses import dataclass, field
from datetime import datetime

from asterisk.manager import ManagerException
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from core.database import session_scope
from core.time import utc_now
from crm_api.routing import outbound
from crm_api.routing.outbound import Due
from crm_api.routing.phones import users_of
from telephony.ami_wire import Message
from telephony.asterisk.plan import QUEUE_PREFIX
from telephony.asterisk.render import DIALLER_EVENTS
from telephony.listener import Address
from telephony.manager import CONNECTION_LOST, Manager
from telephony.pacing import Moment, may_ring

log = logging.getLogger(__name__)

EVENTS = (*DIALLER_EVENTS, "AgentConnect", "QueueCallerAbandon", "Hangup", "UserEvent")
_TICK_SECONDS = 0.5
_RING_SECONDS = 30
_RETRY_SECONDS = 2.0
#: A call whose end was not seen is settled after this long.
_LOST_SECONDS = 20.0
#: Hangup causes (Q.850) -> what it means.
_CAUSES = {"17": "busy", "16": "no_answer", "18": "no_answer", "19": "no_answer", "21": "busy", "127": "no_answer"}


@dataclass(frozen=True)
class CallList:
    """A campaign to work through, and the queue whose agents do it."""

    campaign_id: int
    queue: str
    mode: str = "progressive"


@dataclass
class Agents:
    """What QueueStatus tells: free agents, and when each waiting caller joined, by queue code."""

    free: dict[str, set[str]] = field(default_factory=dict)
    joined: dict[str, list[float]] = field(default_factory=dict)


@dataclass
class _Flight:
    due: Due
    since: float
    answered: bool = False
    connected: bool = False
    missed: str = ""


def dial_string(number: str) -> str:
    """A number as the carrier takes it: mobiles with eleven digits, landlines with a 0, foreign ones with 00."""
    digits = "".join(mark for mark in number if mark.isascii() and mark.isdigit())
    if not number.startswith("+"):
        return digits
    if not number.startswith("+86"):
        return "00" + digits
    national = digits.removeprefix("86")
    return national if len(national) == 11 and national.startswith("1") else "0" + national


def read_agents(status: list[Message], now: float) -> Agents:
    """Free agents and waiting callers from the events of QueueStatus; `now` in seconds since 1970."""
    found = Agents()
    for one in status:
        code = one.headers.get("Queue", "").removeprefix(QUEUE_PREFIX)
        if one.name == "QueueMember":
            wrapped = int(one.headers.get("LastCall") or 0) + int(one.headers.get("Wrapuptime") or 0)
            is_free = (one.headers.get("Status"), one.headers.get("Paused"), one.headers.get("InCall")) == (
                "1",
                "0",
                "0",
            )
            if is_free and wrapped <= now:
                found.free.setdefault(code, set()).add(one.headers.get("Name", ""))
        elif one.name == "QueueEntry" and not one.headers.get("Uniqueid", "").startswith("crm-out-"):
            found.joined.setdefault(code, []).append(now - float(one.headers.get("Wait") or 0))
    return found


class Dialler:
    """Dials until `stop` is called.

    Args:
        lists: campaigns to work through; callbacks are always made.
        default_queue: of callbacks whose queue is not known.
        service_number: what customers see who is calling.
    """

    def __init__(
        self,
        address: Address,
        engine: Engine,
        *,
        lists: tuple[CallList, ...] = (),
        default_queue: str = "general",
        service_number: str = "96766",
    ) -> None:
        self._address, self._engine, self._service_number = address, engine, service_number
        self._lists, self._default_queue = lists, default_queue
        self._stop = threading.Event()
        self._events: queue.SimpleQueue[Message] = queue.SimpleQueue()
        self._flying: dict[str, _Flight] = {}

    def run(self) -> None:
        """Dial until stopped; connects again for ever."""
        while not self._stop.is_set():
            try:
                self._serve()
            except (ManagerException, OSError) as error:
                log.warning("No connection to Asterisk at %s:%d: %s", self._address.host, self._address.port, error)
            except OperationalError as error:
                log.warning("The store does not answer, nothing is dialled: %s", error.orig)
            self._stop.wait(_RETRY_SECONDS)

    def stop(self) -> None:
        """End `run` soon; calls that ring go on ringing and are settled by the next start."""
        self._stop.set()

    def _serve(self) -> None:
        lost = threading.Event()
        manager = Manager(events=EVENTS)
        manager.register_event(CONNECTION_LOST, lambda event, _: lost.set())
        manager.register_event("*", lambda event, _: self._events.put(event))
        try:
            manager.connect(self._address.host, self._address.port)
            reply = manager.login(self._address.user, self._address.secret)
            if reply.get_header("Response") != "Success":
                raise ManagerException(reply.get_header("Message"))
            self._find_unfinished()
            while not self._stop.is_set() and not lost.is_set():
                self.tick(manager)
                self._stop.wait(_TICK_SECONDS)
        finally:
            manager.close()

    def _find_unfinished(self) -> None:
        """Calls that an earlier run began: those that are over are settled by the next look at the channels."""
        with session_scope(self._engine) as session:
            for key in outbound.unfinished(session):
                if key not in self._flying:
                    call = Due(0, "", "", None, None, None, 0, key)
                    self._flying[key] = _Flight(call, time.monotonic())

    def tick(self, manager: Manager) -> None:
        """One round: what happened is written down, then what is due is dialled."""
        while not self._events.empty():
            self._take(self._events.get())
        self._settle_lost(manager)
        now = utc_now()
        with session_scope(self._engine) as session:
            stopped = outbound.is_stopped(session)
        if stopped:
            self._hang_up_ringing(manager)
            return
        agents = read_agents(manager.send_list({"Action": "QueueStatus"}), time.time())
        for due in self._wanted(agents, now):
            self._dial(manager, due, now)

    def _hang_up_ringing(self, manager: Manager) -> None:
        ringing = {key for key, flight in self._flying.items() if not flight.answered}
        if not ringing:
            return
        for one in manager.send_list({"Action": "CoreShowChannels"}):
            if one.headers.get("Uniqueid") in ringing:
                manager.send_action({"Action": "Hangup", "Channel": one.headers.get("Channel", "")})

    def _wanted(self, agents: Agents, now: datetime) -> list[Due]:
        """The due calls for which an agent is free, in order."""
        chosen: list[Due] = []
        with session_scope(self._engine) as session:
            outbound.adopt_promises(session, now=now)
            record = outbound.last_day(session, now=now)
            room = {code: self._room(code, agents, record) for code in agents.free}
            due = outbound.due_calls(session, now=now)
            for one in due:
                code = one.queue or self._default_queue
                if one.kind == "scheduled":
                    if self._agent_of(session, one, agents):
                        chosen.append(one)
                elif self._first_in_line(one, code, agents, room):
                    room[code] = room.get(code, 0) - 1
                    chosen.append(one)
            if not any(one.kind == "campaign" for one in due):
                for each in self._lists:
                    free = room.get(each.queue, 0)
                    if free > 0:
                        outbound.adopt_entries(
                            session,
                            campaign_id=each.campaign_id,
                            queue=each.queue,
                            limit=free,
                            mode=each.mode,
                            now=now,
                        )
        return chosen

    def _room(self, code: str, agents: Agents, record: outbound.Record) -> int:
        flying = sum(
            not one.connected and (one.due.queue or self._default_queue) == code for one in self._flying.values()
        )
        waiting = len(agents.joined.get(code, ()))
        return may_ring(Moment(len(agents.free[code]), flying, waiting, record.answered, record.abandoned))

    @staticmethod
    def _first_in_line(due: Due, code: str, agents: Agents, room: dict[str, int]) -> bool:
        """Whether an agent is free for this call: a kept place goes before callers who joined after it."""
        if room.get(code, 0) > 0:
            return True
        if due.kept_since is None:
            return False
        earlier = sum(joined < due.kept_since.timestamp() for joined in agents.joined.get(code, ()))
        waiting = len(agents.joined.get(code, ()))
        return bool(waiting) and len(agents.free.get(code, ())) > earlier

    def _agent_of(self, session: Session, due: Due, agents: Agents) -> str | None:
        """The agent code of the person who promised the call, if they are free."""
        free = set().union(*agents.free.values()) if agents.free else set()
        names = users_of(session, free)
        return next((agent for agent, username in names.items() if username == due.username), None)

    def _dial(self, manager: Manager, due: Due, now: datetime) -> None:
        with session_scope(self._engine) as session:
            why = outbound.begin(session, due, now=now)
            agent = self._preview_agent(manager, session, due)
        if why is not None:
            log.info("Call %d (%s) is not made: %s", due.id, due.kind, why)
            return
        self._flying[due.key] = _Flight(due, time.monotonic())
        number = dial_string(due.number)
        queue_name = due.queue or self._default_queue
        customer_first = {
            "Channel": f"PJSIP/{number}@trunk",
            "Context": "outbound",
            "Exten": queue_name,
            "Variable": "CRM_IVR_PATH=callback" if due.kind != "campaign" else "CRM_IVR_PATH=campaign",
        }
        agent_first = {"Channel": f"PJSIP/{agent}", "Context": "from-agents", "Exten": number}
        action = {
            "Action": "Originate",
            "Priority": "1",
            "Timeout": str(_RING_SECONDS * 1000),
            "CallerID": self._service_number,
            "Async": "true",
            "ChannelId": due.key,
            **(agent_first if agent else customer_first),
        }
        try:
            reply = manager.send_action(action)
        except ManagerException:
            self._finish(due.key, "failed")
            raise
        if reply.get_header("Response") == "Error":
            log.warning("Asterisk refused call %d: %s", due.id, reply.get_header("Message"))
            self._finish(due.key, "failed")

    def _preview_agent(self, manager: Manager, session: Session, due: Due) -> str | None:
        if due.kind != "scheduled":
            return None
        agents = read_agents(manager.send_list({"Action": "QueueStatus"}), time.time())
        return self._agent_of(session, due, agents)

    def _take(self, event: Message) -> None:
        """What an event says of a call of ours."""
        key = event.headers.get("Uniqueid", "")
        flight = self._flying.get(key)
        if flight is None:
            return
        now = utc_now()
        if event.name == "OriginateResponse":
            if event.headers.get("Response") == "Failure":
                reason = event.headers.get("Reason", "")
                self._finish(key, {"5": "busy", "8": "failed", "0": "failed"}.get(reason, "no_answer"))
            elif flight.due.kind != "scheduled":
                flight.answered = True
                self._note(key, connected=False, now=now)
        elif event.name == "DialEnd" and flight.due.kind == "scheduled":
            # The agent is there already: the customer's answer connects the two.
            if event.headers.get("DialStatus") == "ANSWER":
                flight.answered = flight.connected = True
                self._note(key, connected=True, now=now)
            else:
                flight.missed = "busy" if event.headers.get("DialStatus") == "BUSY" else "no_answer"
        elif event.name == "UserEvent" and event.headers.get("UserEvent") == "OutboundAnswered":
            flight.answered = True
            self._note(key, connected=False, now=now)
        elif event.name == "AgentConnect":
            flight.answered = flight.connected = True
            self._note(key, connected=True, now=now)
        elif event.name == "Hangup":
            cause = _CAUSES.get(event.headers.get("Cause", ""), "failed")
            missed = "abandoned" if flight.answered else flight.missed or cause
            outcome = "connected" if flight.connected else missed
            self._finish(key, outcome)

    def _note(self, key: str, *, connected: bool, now: datetime) -> None:
        with session_scope(self._engine) as session:
            outbound.note_answer(session, key, connected=connected, now=now)

    def _finish(self, key: str, outcome: str) -> None:
        with session_scope(self._engine) as session:
            outbound.finish(session, key, outcome, now=utc_now())
        self._flying.pop(key, None)

    def _settle_lost(self, manager: Manager) -> None:
        """Calls that Asterisk does not have any more and whose end nobody told."""
        old = [key for key, one in self._flying.items() if time.monotonic() - one.since > _LOST_SECONDS]
        if not old:
            return
        present = {one.headers.get("Uniqueid") for one in manager.send_list({"Action": "CoreShowChannels"})}
        for key in old:
            if key not in present:
                self._finish(key, "connected" if self._flying[key].connected else "failed")

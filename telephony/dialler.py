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
from crm_api.routing import outbound, outbound_lists
from crm_api.routing.outbound import Due
from crm_api.routing.phones import announce, users_of
from telephony.ami_wire import Message
from telephony.asterisk.plan import QUEUE_PREFIX
from telephony.asterisk.render import DIALLER_EVENTS
from telephony.listener import Address
from telephony.manager import CONNECTION_LOST, Manager
from telephony.pacing import Moment, may_preview, may_ring

log = logging.getLogger(__name__)

EVENTS = (*DIALLER_EVENTS, "AgentConnect", "QueueCallerAbandon", "Hangup", "UserEvent")
_TICK_SECONDS = 0.5
_RING_SECONDS = 30
_RETRY_SECONDS = 2.0
#: A call whose end was not seen is settled after this long.
_LOST_SECONDS = 20.0
#: "It did not come about" is often told before why; a call that never had a channel is never told more.
_WHY_SECONDS = 2.0
#: Hangup causes (Q.850) -> what it means.
_CAUSES = {"17": "busy", "16": "no_answer", "18": "no_answer", "19": "no_answer", "21": "busy", "127": "no_answer"}
#: Why an originated call did not come about (Asterisk's control frames) -> what it means.
_REASONS = {"0": "failed", "5": "busy", "8": "failed"}
#: How a dial ended -> what it means; anything else: nobody answered.
_MISSED = {"BUSY": "busy", "CONGESTION": "failed", "CHANUNAVAIL": "failed"}


@dataclass(frozen=True)
class CallList:
    """A campaign to work through, the queue whose agents do it, and who is rung first: the customer or the agent."""

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
    #: Code of the agent who was rung first.
    agent: str | None = None
    #: Whoever is rung first has answered.
    taken: bool = False
    answered: bool = False
    connected: bool = False
    missed: str = ""
    #: When it was told that this call did not come about, and how that is to be read if nothing more is told.
    refused: tuple[float, str] | None = None


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
            wrapped = one.seconds("LastCall") + one.seconds("Wrapuptime")
            is_free = (one.headers.get("Status"), one.headers.get("Paused"), one.headers.get("InCall")) == (
                "1",
                "0",
                "0",
            )
            if is_free and wrapped <= now:
                found.free.setdefault(code, set()).add(one.headers.get("Name", ""))
        elif one.name == "QueueEntry" and not one.headers.get("Uniqueid", "").startswith("crm-out-"):
            found.joined.setdefault(code, []).append(now - one.seconds("Wait"))
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
        #: Agent's code -> when they were last rung first.
        self._asked: dict[str, float] = {}

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
            for due, answered, connected in outbound.unfinished(session):
                if due.key not in self._flying:
                    flight = _Flight(due, time.monotonic(), taken=True, answered=answered, connected=connected)
                    self._flying[due.key] = flight

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
        for due, agent in self._wanted(agents, now):
            self._dial(manager, due, agent, now)

    def _hang_up_ringing(self, manager: Manager) -> None:
        ringing = {key for key, flight in self._flying.items() if not flight.answered}
        if not ringing:
            return
        for one in manager.send_list({"Action": "CoreShowChannels"}):
            if one.headers.get("Uniqueid") in ringing:
                manager.send_action({"Action": "Hangup", "Channel": one.headers.get("Channel", "")})

    def _wanted(self, agents: Agents, now: datetime) -> list[tuple[Due, str | None]]:
        """The due calls for which an agent is free, in order, with the code of the agent who is to be rung first."""
        chosen: list[tuple[Due, str | None]] = []
        with session_scope(self._engine) as session:
            outbound.adopt_promises(session, now=now)
            record = outbound.last_day(session, now=now)
            moments = {code: self._moment(code, agents, record) for code in agents.free}
            room = {code: may_ring(one) for code, one in moments.items()}
            quiet = {code: may_preview(one) for code, one in moments.items()}
            due = outbound.due_calls(session, now=now)
            busy = {one.agent for one in self._flying.values() if one.agent}
            for one in due:
                code = one.queue or self._default_queue
                agent = self._agent_of(session, one, agents, busy) if one.is_preview else None
                if one.is_preview:
                    ready = agent is not None and (one.kind == "scheduled" or quiet.get(code, 0) > 0)
                else:
                    ready = self._first_in_line(one, code, agents, room)
                if ready:
                    room[code], quiet[code] = room.get(code, 0) - 1, quiet.get(code, 0) - 1
                    busy |= {agent} if agent else set()
                    chosen.append((one, agent))
            if not any(one.kind == "campaign" for one in due):
                self._adopt(session, room, quiet, now)
        return chosen

    def _adopt(self, session: Session, room: dict[str, int], quiet: dict[str, int], now: datetime) -> None:
        for each in self._lists:
            limit = (quiet if each.mode == "preview" else room).get(each.queue, 0)
            if limit > 0:
                outbound_lists.adopt(
                    session, campaign_id=each.campaign_id, queue=each.queue, limit=limit, mode=each.mode, now=now
                )

    def _moment(self, code: str, agents: Agents, record: outbound.Record) -> Moment:
        # Who was rung first is not among the free any more.
        flying = sum(
            not one.connected and one.agent is None and (one.due.queue or self._default_queue) == code
            for one in self._flying.values()
        )
        waiting = len(agents.joined.get(code, ()))
        return Moment(len(agents.free[code]), flying, waiting, record.answered, record.abandoned)

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

    def _agent_of(self, session: Session, due: Due, agents: Agents, busy: set[str]) -> str | None:
        """A free agent to be rung first: who promised the call, or of the queue who was asked longest ago."""
        if due.kind == "scheduled":
            free = set().union(*agents.free.values()) if agents.free else set()
        else:
            free = agents.free.get(due.queue or self._default_queue, set())
        names = users_of(session, free - busy)
        wanted = [agent for agent, username in names.items() if due.username in (None, username)]
        if due.kind == "campaign":
            wanted = list(names)
        return min(wanted, key=lambda agent: (self._asked.get(agent, 0.0), agent), default=None)

    def _dial(self, manager: Manager, due: Due, agent: str | None, now: datetime) -> None:
        with session_scope(self._engine) as session:
            username = users_of(session, {agent}).get(agent) if agent else None
            why = outbound.begin(session, due, now=now, username=username)
            if why is None and username:
                path = "campaign" if due.kind == "campaign" else "callback"
                announce(session, username=username, number=due.number, call=due.key, queue=due.queue, path=path)
        if why is not None:
            log.info("Call %d (%s) is not made: %s", due.id, due.kind, why)
            return
        self._flying[due.key] = _Flight(due, time.monotonic(), agent)
        if agent:
            self._asked[agent] = time.monotonic()
        number = dial_string(due.number)
        queue_name = due.queue or self._default_queue
        customer_first = {
            "Channel": f"PJSIP/{number}@trunk",
            "Context": "outbound",
            "Exten": queue_name,
            # Agents see whom they speak with, not our own number.
            "Variable": f"CRM_NUMBER={due.number},CRM_IVR_PATH={'campaign' if due.kind == 'campaign' else 'callback'}",
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

    def _take(self, event: Message) -> None:
        """What an event says of a call of ours."""
        if event.name == "DialEnd":
            self._take_ringing(event)
            return
        key = event.headers.get("Uniqueid", "")
        flight = self._flying.get(key)
        if flight is None:
            return
        now = utc_now()
        if event.name == "OriginateResponse":
            if event.headers.get("Response") == "Failure":
                flight.refused = time.monotonic(), _REASONS.get(event.headers.get("Reason", ""), "no_answer")
            elif not flight.due.is_preview:
                flight.answered = True
                self._note(key, connected=False, now=now)
        elif event.name == "UserEvent" and event.headers.get("UserEvent") == "OutboundAnswered":
            flight.answered = True
            self._note(key, connected=False, now=now)
        elif event.name == "AgentConnect":
            flight.answered = flight.connected = True
            self._note(key, connected=True, now=now, agent=event.headers.get("MemberName"))
        elif event.name == "Hangup":
            cause = _CAUSES.get(event.headers.get("Cause", ""), "failed")
            # A busy line can end the dialling as one that is not there; its cause tells them apart.
            missed = "abandoned" if flight.answered else "busy" if cause == "busy" else flight.missed or cause
            if flight.due.is_preview and not flight.taken:
                missed = "agent_away"
            self._finish(key, "connected" if flight.connected else missed)

    def _take_ringing(self, event: Message) -> None:
        """How a phone's ringing ended: that of the call itself, or of the customer whom an agent waits for."""
        status = event.headers.get("DialStatus", "")
        missed = _MISSED.get(status, "no_answer")
        own = None if "Uniqueid" in event.headers else self._flying.get(event.headers.get("DestUniqueid", ""))
        if own is not None:
            own.taken, own.missed = status == "ANSWER", "" if status == "ANSWER" else missed
            return
        key = event.headers.get("Uniqueid", "")
        flight = self._flying.get(key)
        if flight is not None and flight.due.is_preview:
            # The agent is there already: the customer's answer connects the two.
            if status == "ANSWER":
                flight.answered = flight.connected = True
                self._note(key, connected=True, now=utc_now(), agent=flight.agent)
            else:
                flight.missed = missed

    def _note(self, key: str, *, connected: bool, now: datetime, agent: str | None = None) -> None:
        with session_scope(self._engine) as session:
            outbound.note_answer(session, key, connected=connected, now=now, agent=agent)

    def _finish(self, key: str, outcome: str) -> None:
        log.info("Call %s ended: %s", key, outcome)
        with session_scope(self._engine) as session:
            outbound.finish(session, key, outcome, now=utc_now())
        self._flying.pop(key, None)

    def _settle_lost(self, manager: Manager) -> None:
        """Calls that never had a channel, or that Asterisk does not have any more and whose end nobody told."""
        for key, flight in list(self._flying.items()):
            if flight.refused and time.monotonic() - flight.refused[0] > _WHY_SECONDS:
                self._finish(key, "agent_away" if flight.due.is_preview else flight.missed or flight.refused[1])
        old = [key for key, one in self._flying.items() if time.monotonic() - one.since > _LOST_SECONDS]
        if not old:
            return
        present = {one.headers.get("Uniqueid") for one in manager.send_list({"Action": "CoreShowChannels"})}
        for key in old:
            if key not in present:
                self._finish(key, "connected" if self._flying[key].connected else "failed")

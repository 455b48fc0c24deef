"""Carrying out what the pages ask of the PBX: agents' states, click to dial, a supervisor's listening and pausing.

Orders come over the live bus and their outcome goes back over it (crm_api.routing.phones). A connection of its own, so
that a slow action never holds up the events of calls. While it and the listener's connection stand, telephony signs
that it is there.
"""

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from asterisk.manager import ManagerException
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from core.database import session_scope
from core.errors import BadInputError
from crm_api.bus.service import listen
from crm_api.routing import phones
from telephony.ami_wire import Message
from telephony.asterisk.plan import QUEUE_PREFIX
from telephony.dialler import dial_string
from telephony.listener import Address
from telephony.manager import CONNECTION_LOST, Manager

log = logging.getLogger(__name__)

#: A member whose phone has been away for so long is logged out: a closed browser is nobody who waits for calls.
AWAY_SECONDS = 20.0
_SIGN_SECONDS = 1.0
_RETRY_SECONDS = 1.0
_RING_MILLISECONDS = 20_000
#: Asterisk's device states of a phone that is not registered.
_UNREACHABLE = ("4", "5")
#: ChanSpy's options: quiet, until the agent's call ends; whispering, or heard by both.
_JOINING = {"listen": "qE", "whisper": "qEw", "barge": "qEB"}

Order = dict[str, Any]


class RefusedByPbxError(Exception):
    """Asterisk said no, in its own words."""


class Orders:
    """Carries orders out until `stop` is called.

    Args:
        is_listening: whether the listener's own connection stands.
    """

    def __init__(self, address: Address, engine: Engine, is_listening: Callable[[], bool] = lambda: True) -> None:
        self._address, self._engine, self._is_listening = address, engine, is_listening
        self._stop = threading.Event()
        self._away: dict[str, float] = {}

    def run(self) -> None:
        """Serve until stopped; connects again for ever."""
        while not self._stop.is_set():
            try:
                self._serve()
            except (ManagerException, OSError) as error:
                log.warning("No orders reach Asterisk at %s:%d: %s", self._address.host, self._address.port, error)
            except OperationalError as error:
                log.warning("The store does not answer, no orders come: %s", error.orig)
            self._stop.wait(_RETRY_SECONDS)

    def stop(self) -> None:
        """End `run` soon."""
        self._stop.set()

    def _serve(self) -> None:
        lost = threading.Event()
        manager = Manager(events=("QueueMemberStatus",))
        manager.register_event(CONNECTION_LOST, lambda event, _: lost.set())
        manager.register_event("QueueMemberStatus", lambda event, _: self._note(event))
        try:
            manager.connect(self._address.host, self._address.port)
            reply = manager.login(self._address.user, self._address.secret)
            if reply.get_header("Response") != "Success":
                raise ManagerException(reply.get_header("Message"))
            for member in manager.send_list({"Action": "QueueStatus"}):
                self._note(member)
            self._work(manager, lost)
        finally:
            manager.close()

    def _work(self, manager: Manager, lost: threading.Event) -> None:
        signed = 0.0
        for message in listen(self._engine):
            if self._stop.is_set() or lost.is_set():
                return
            if message is not None and message[1] == phones.ORDER:
                self._take(manager, message[2])
            if time.monotonic() - signed > _SIGN_SECONDS:
                signed = time.monotonic()
                manager.ping()
                self._log_out_the_absent(manager)
                if self._is_listening():
                    with session_scope(self._engine) as session:
                        phones.sign(session)

    def _take(self, manager: Manager, order: Order) -> None:
        problem = None
        try:
            self.carry_out(manager, order)
        except (RefusedByPbxError, BadInputError, ManagerException) as error:
            problem = str(error) or type(error).__name__
            log.warning("Order %s of %s: %s", order.get("action"), order.get("username"), problem)
        with session_scope(self._engine) as session:
            phones.tell_done(session, told=order, problem=problem)

    def carry_out(self, manager: Manager, order: Order) -> None:
        """Do what an order says.

        Raises:
            RefusedByPbxError: Asterisk refused, or the order is unknown.
        """
        action, agent = order["action"], str(order["agent"])
        if action == "state":
            self._set_state(manager, agent, order["state"], order.get("reason"))
        elif action == "dial":
            number = str(order["number"])
            name = f"dial {order.get('shown') or number}"
            _originate(manager, agent, name, Context="from-agents", Exten=dial_string(number), Priority=1)
        elif action in _JOINING:
            data = f"PJSIP/{agent}-,{_JOINING[action]}"
            _originate(manager, str(order["supervisor"]), f"{action} {agent}", Application="ChanSpy", Data=data)
        else:
            raise RefusedByPbxError(f"unknown order {action!r}")

    def _set_state(self, manager: Manager, agent: str, state: str, reason: str | None) -> None:
        if state == "logged_out":
            self._log_out(manager, agent)
            return
        with session_scope(self._engine) as session:
            served = phones.queues_of(session, agent)
        if not served:
            raise RefusedByPbxError(f"agent {agent} serves no queue")
        interface, paused = f"PJSIP/{agent}", "true" if state == "pause" else "false"
        for queue, rank in served:
            # Who is there already is not added again: that refusal is no problem.
            manager.send_action(
                Action="QueueAdd",
                Queue=QUEUE_PREFIX + queue,
                Interface=interface,
                Penalty=rank - 1,
                MemberName=agent,
                StateInterface=interface,
                Paused="true",
            )
        _require(manager.send_action(Action="QueuePause", Interface=interface, Paused=paused, Reason=reason or ""))

    def _log_out(self, manager: Manager, agent: str) -> None:
        with session_scope(self._engine) as session:
            served = phones.queues_of(session, agent)
        for queue, _ in served:
            manager.send_action(Action="QueueRemove", Queue=QUEUE_PREFIX + queue, Interface=f"PJSIP/{agent}")
        self._away.pop(agent, None)

    def _note(self, event: Message) -> None:
        """A member's phone went away or came back."""
        agent = event.headers.get("MemberName") or event.headers.get("Name", "")
        if event.headers.get("Membership") == "static" or not agent:
            return
        if event.headers.get("Status") in _UNREACHABLE:
            self._away.setdefault(agent, time.monotonic())
        else:
            self._away.pop(agent, None)

    def _log_out_the_absent(self, manager: Manager) -> None:
        late = [agent for agent, since in list(self._away.items()) if time.monotonic() - since > AWAY_SECONDS]
        for agent in late:
            log.info("Agent %s is logged out: the phone has been away for %d s", agent, AWAY_SECONDS)
            self._log_out(manager, agent)


def _originate(manager: Manager, phone: str, name: str, **what: str | int) -> None:
    """Ring a phone; once it answers, it goes on with `what`."""
    action: dict[str, str | int | list[str]] = {
        "Action": "Originate",
        "Channel": f"PJSIP/{phone}",
        "CallerID": f'"{name}" <{phone}>',
        "Timeout": _RING_MILLISECONDS,
        "Async": "true",
    }
    _require(manager.send_action(action | what))


def _require(reply: Message) -> None:
    if reply.get_header("Response") != "Success":
        raise RefusedByPbxError(reply.get_header("Message") or "refused")

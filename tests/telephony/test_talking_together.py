"""Who hears whom: supervisors who listen, whisper and barge in, callers who are handed on. Heard by their tones."""

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import pytest
from sqlalchemy import create_engine

from telephony.ami_events import EventReader
from telephony.ami_wire import Message
from telephony.asterisk.plan import AgentPlan, PbxPlan, QueuePlan
from telephony.asterisk.private import PrivateAsterisk
from telephony.call_model import Visit, build_calls
from telephony.listener import Address
from telephony.manager import Manager
from telephony.supervisor import Orders
from tests.browser import until
from tests.servers import free_port
from tests.telephony.conftest import running
from tests.telephony.voice import Voice, deaf

#: What each says all the time, Hz.
AGENT, CALLER, SUPERVISOR, COLLEAGUE = 500, 900, 1300, 1700


@dataclass
class Floor:
    """An exchange, the phones of three people on their desks, the carrier, and what carries orders out."""

    pbx: PrivateAsterisk
    agent: Voice
    supervisor: Voice
    carrier: Voice
    manager: Manager
    orders: Orders

    def order(self, **order: str) -> None:
        self.orders.carry_out(self.manager, order)

    @contextmanager
    def conversation(self) -> Iterator[Voice]:
        """A caller who talks with the agent; both hang up in the end."""
        with Voice(self.pbx.plan, "13900000001", tone=CALLER) as caller:
            calling = threading.Thread(target=caller.call, args=("96766",))
            calling.start()
            self.agent.answer()
            calling.join(60)
            until(lambda: caller.hears(AGENT) and self.agent.hears(CALLER), "the two to hear each other", 20)
            yield caller
        until(lambda: not self.agent.is_talking, "the agent's call to end", 20)


@pytest.fixture(scope="module")
def floor() -> Iterator[Floor]:
    carrier_port = free_port()
    plan = PbxPlan(
        manager_user="crm",
        manager_secret="only-for-this-test",
        trunk_port=carrier_port,
        queues=(QueuePlan("general", wrap_up_seconds=0),),
        agents=(
            AgentPlan("7001", "one", queues=(("general", 1),)),
            AgentPlan("7002", "two"),
            AgentPlan("7003", "three"),
        ),
        record=True,
    )
    with ExitStack() as open_:
        pbx = open_.enter_context(running(plan))
        agent = open_.enter_context(Voice(pbx.plan, "7001", "one", tone=AGENT))
        supervisor = open_.enter_context(Voice(pbx.plan, "7002", "two", tone=SUPERVISOR))
        carrier = open_.enter_context(Voice(pbx.plan, "carrier", port=carrier_port, refuses="404 Not Found"))
        for each in (agent, supervisor):
            each.register()
        manager = Manager()
        manager.connect(pbx.plan.ports.host, pbx.plan.ports.manager)
        manager.login(plan.manager_user, plan.manager_secret)
        open_.callback(manager.close)
        address = Address(pbx.plan.ports.host, pbx.plan.ports.manager, plan.manager_user, plan.manager_secret)
        yield Floor(pbx, agent, supervisor, carrier, manager, Orders(address, create_engine("sqlite://")))


@pytest.mark.parametrize(
    ("mode", "agent_hears", "caller_hears"),
    [("listen", False, False), ("whisper", True, False), ("barge", True, True)],
)
def test_a_supervisor_hears_both_and_is_heard_by_whom_the_mode_says(
    floor: Floor, mode: str, agent_hears: bool, caller_hears: bool
) -> None:
    with floor.conversation() as caller:
        floor.order(action=mode, agent="7001", supervisor="7002")
        floor.supervisor.answer()
        assert f"{mode} 7001" in floor.supervisor.caller
        both = (AGENT, CALLER)
        until(lambda: all(floor.supervisor.hears(tone) for tone in both), "the supervisor to hear both", 20)
        for voice, hears in ((floor.agent, agent_hears), (caller, caller_hears)):
            if hears:
                until(lambda voice=voice: voice.hears(SUPERVISOR), f"{voice.name} to hear the supervisor", 20)
            else:
                assert deaf(voice, SUPERVISOR), f"{voice.name} hears the supervisor"
        assert caller.hears(AGENT)
        assert floor.agent.hears(CALLER)
        floor.supervisor.hang_up()
        assert caller.is_talking, "a supervisor who leaves ends nothing"
    assert not floor.supervisor.is_talking


def test_keys_reach_the_other_side(floor: Floor) -> None:
    with floor.conversation() as caller:
        floor.agent.press("1590#*")
        until(lambda: caller.keys == "1590#*", "the caller to hear the agent's keys", 20)


def test_a_number_that_does_not_exist_takes_nobodys_caller(floor: Floor) -> None:
    with floor.conversation() as caller:
        floor.agent.transfer("4711")
        assert caller.hears(AGENT), "refused before it began"
        with Voice(floor.pbx.plan, "7003", "three") as asking:
            assert asking.call("4711") in (404, 484), "so is a consultation"


@pytest.mark.parametrize("nobody", ["0917326000", "7003"], ids=["the carrier refuses", "the colleague is not there"])
def test_a_caller_handed_to_nobody_comes_back(floor: Floor, nobody: str) -> None:
    with floor.conversation() as caller:
        floor.agent.transfer(nobody)
        floor.agent.hang_up()
        floor.agent.answer()
        assert floor.agent.caller.startswith(f'"returned {nobody}" <sip:{caller.name}@')
        until(lambda: caller.hears(AGENT) and floor.agent.hears(CALLER), "the two to hear each other again", 20)


def test_a_caller_handed_on_is_heard_there_and_in_one_recording(floor: Floor) -> None:
    before = set(floor.pbx.recordings.glob("*.wav"))
    with Voice(floor.pbx.plan, "7003", "three", tone=COLLEAGUE) as colleague:
        colleague.register()
        with floor.conversation() as caller:
            (recording,) = set(floor.pbx.recordings.glob("*.wav")) - before
            grown = recording.stat().st_size
            floor.agent.transfer("7003")
            floor.agent.hang_up()
            colleague.answer()
            until(lambda: caller.hears(COLLEAGUE) and colleague.hears(CALLER), "the two to hear each other", 20)
            until(lambda: recording.stat().st_size > grown + 8000, "the recording to go on", 20)
        assert set(floor.pbx.recordings.glob("*.wav")) - before == {recording}


def test_on_hold_the_other_side_hears_nothing_of_the_agent_and_the_call_tells_it(floor: Floor) -> None:
    frames: list[tuple[bytes, float]] = []
    floor.manager.register_raw(lambda frame: frames.append((bytes(frame), time.time())))
    with floor.conversation() as caller:
        floor.agent.hold()
        since = time.monotonic()
        until(lambda: not caller.hears(AGENT) and time.monotonic() > since + 2, "the agent to be unheard", 20)
        floor.agent.hold(False)
        until(lambda: caller.hears(AGENT), "the agent to be heard again", 20)

    def visits() -> list[Visit]:
        reader = EventReader()
        read = (reader.read(Message(frame), at) for frame, at in list(frames))
        return build_calls(event for event in read if event is not None).visits

    until(lambda: visits() and visits()[-1].ended_at is not None, "the end of the call to be told", 20)
    (visit,) = visits()
    ((start, end),) = visit.holds
    assert visit.channel, "the answer tells the agent's channel, by which holds are told apart"
    assert (visit.exited_at or 0) <= start < (end or 0) <= (visit.ended_at or 0)

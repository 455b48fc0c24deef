"""One caller in the IVR: from the number to the queue. Whatever goes wrong, the call goes on to an agent."""

from dataclasses import dataclass, field
from datetime import datetime

from asterisk.agi import AGIAppError, AGIHangup

from core.time import utc_now
from crm_api.routing import ivr
from crm_api.routing.callers import Caller, Fee, fee_of_account, look_up
from crm_api.routing.ivr import Step
from telephony.agi import Conversation
from telephony.asterisk.plan import QUEUE_PREFIX
from telephony.ivr.menu import Menu, Node
from telephony.ivr.numbers import say_integer, say_yuan
from telephony.ivr.store_access import Lookups, Writer

#: Asterisk ends a visit to the IVR after this many seconds and takes the caller to the general queue.
LONGEST_SECONDS = 240
_MOST_STEPS = 40
_ACCOUNT_DIGITS = 40


class _DoneError(Exception):
    """The caller needs no agent any more."""


@dataclass
class Visit:
    """What one caller's visit to the IVR has come to."""

    key: str
    number: str
    called: str
    started_at: datetime
    sounds: str
    language: str = "zh"
    caller: Caller | None = None
    reasons: tuple[str, ...] = ()
    service_type: str | None = None
    is_self_served: bool = False
    steps: list[Step] = field(default_factory=list)

    def note(self, node: str, choice: str | None = None) -> None:
        """Add a step of the way."""
        self.steps.append(Step(node, choice, utc_now()))

    def path(self) -> str:
        """The way in one line: language 1 > main 1 > fault."""
        return " > ".join(f"{one.node} {one.choice}" if one.choice else one.node for one in self.steps)


class Ivr:
    """Handles the conversations of all callers; used from many threads."""

    def __init__(self, menu: Menu, lookups: Lookups, writer: Writer) -> None:
        self.menu, self._lookups, self._writer = menu, lookups, writer

    def handle(self, agi: Conversation) -> None:
        """One conversation, by the script that the dialplan asked for: route, callback or survey."""
        script = agi.env.get("agi_network_script", "route").partition("?")[0]
        {"callback": self._ask_callback, "survey": self._ask_survey}.get(script, self._route)(agi)

    def _visit(self, agi: Conversation) -> Visit:
        number = agi.env.get("agi_callerid", "")
        arguments = agi.arguments
        return Visit(
            key=agi.env.get("agi_uniqueid", ""),
            number="" if number in ("unknown", "anonymous") else number[:40],
            called=agi.env.get("agi_extension", "")[:20],
            started_at=utc_now(),
            sounds=arguments[0] if arguments else "",
            language="en" if agi.env.get("agi_language") == "en" else "zh",
        )

    def _route(self, agi: Conversation) -> None:
        """Ask what the call is about and say where it goes: CRM_QUEUE and CRM_PRIORITY."""
        visit = self._visit(agi)
        # Until now a server that hangs would have lost two seconds of the caller's time, not the call.
        agi.set_variable("TIMEOUT(absolute)", str(LONGEST_SECONDS))
        visit.caller = self._lookups.within(lambda session: look_up(session, visit.number, called=visit.called))
        if visit.caller is None:
            visit.note("store_away")
            self._go(agi, visit, self.menu.default_queue, 0)
            return
        transferred = ("transferred",) if agi.env.get("agi_rdnis", "unknown") not in ("", "unknown") else ()
        visit.reasons = (*visit.caller.reasons, *transferred)
        if visit.reasons:
            visit.note("priority", ",".join(visit.reasons))
        try:
            agi.answer()
            node = self._walk(agi, visit)
            queue, priority = self._destination(agi, node, visit.reasons)
            self._offer_callback(agi, visit, queue)
        except (AGIHangup, _DoneError) as error:
            self._write(visit, is_over=True)
            if isinstance(error, _DoneError):
                agi.hangup()
            return
        self._go(agi, visit, queue, priority)

    def _destination(self, agi: Conversation, node: Node, reasons: tuple[str, ...]) -> tuple[str, int]:
        points = sum(self.menu.points.get(reason, 0) for reason in reasons)
        first = self.menu.priority_queue
        if points and first and first != node.queue:
            exists = agi.get_full_variable(f"${{DIALPLAN_EXISTS(queues,{first},1)}}")
            return (first if exists == "1" else node.queue), points
        return node.queue, points

    def _go(self, agi: Conversation, visit: Visit, queue: str, priority: int) -> None:
        agi.set_variable("CRM_QUEUE", queue)
        agi.set_variable("CRM_PRIORITY", str(priority))
        agi.set_variable("CHANNEL(language)", visit.language)
        # For the screen that rings: it needs no store to show it.
        agi.set_variable("CRM_IVR_PATH", visit.path()[:100])
        self._write(visit)

    def _walk(self, agi: Conversation, visit: Visit) -> Node:
        """Follow the menu to a queue."""
        node, announced = self.menu.nodes[self.menu.first], False
        for _ in range(_MOST_STEPS):
            if node.kind == "queue":
                break
            node = self._step(agi, visit, node)
            if not announced and node.kind != "language" and visit.caller and visit.caller.outage:
                announced = True
                self._tell_outage(agi, visit)
        if node.kind != "queue":
            node = Node("too_long", "queue", queue=self.menu.default_queue)
        visit.note(node.name, node.queue)
        visit.service_type = node.service_type or visit.service_type
        return node

    def _step(self, agi: Conversation, visit: Visit, node: Node) -> Node:
        if node.kind == "end":
            visit.note(node.name)
            self._say(agi, visit, [node.prompt])
            raise _DoneError
        if node.kind == "fee":
            self._tell_fee(agi, visit)
            return self.menu.nodes[node.then]
        key = self._choose(agi, visit, node)
        target = node.options.get(key, node.default)
        visit.note(node.name, key or None)
        if node.kind == "language":
            visit.language = target
            return self.menu.nodes[node.then]
        return self.menu.nodes[target]

    def _choose(self, agi: Conversation, visit: Visit, node: Node) -> str:
        for _ in range(self.menu.tries):
            key = self._ask(agi, visit, node.prompt, "".join(node.options))
            if key in node.options:
                return key
        return ""

    def _ask(self, agi: Conversation, visit: Visit, prompt: str, keys: str) -> str:
        """Play a prompt and wait for one of the keys; empty: none."""
        try:
            return str(agi.get_option(self._file(visit, prompt), keys, int(self.menu.seconds_for_a_key * 1000)))
        except AGIAppError:
            # A prompt that is missing is not said; a channel that is gone shows at the next command.
            return str(agi.wait_for_digit(int(self.menu.seconds_for_a_key * 1000)))

    def _say(self, agi: Conversation, visit: Visit, prompts: list[str]) -> None:
        for prompt in prompts:
            try:
                agi.stream_file(self._file(visit, prompt))
            except AGIAppError:
                agi.get_variable("CHANNEL")

    @staticmethod
    def _file(visit: Visit, prompt: str) -> str:
        return f"{visit.sounds}/{visit.language}/{prompt}"

    def _tell_outage(self, agi: Conversation, visit: Visit) -> None:
        outage = visit.caller.outage if visit.caller else None
        if outage is None:
            return
        key = self._ask(agi, visit, "outage", "12")
        visit.note("outage", f"{outage.ticket_id}:{key or 'none'}")
        if key == "1" and visit.number:
            visit.is_self_served = True
            self._take_callback(visit, self.menu.default_queue, outage_ticket_id=outage.ticket_id)
            self._say(agi, visit, ["callback_taken"])
            raise _DoneError

    def _tell_fee(self, agi: Conversation, visit: Visit) -> None:
        known = visit.caller
        fee = None
        if known and known.balance_fen is not None and known.monthly_fee_fen is not None:
            fee = Fee(known.balance_fen, known.monthly_fee_fen)
        if fee is None:
            try:
                typed = str(agi.get_data(self._file(visit, "fee_account"), 6000, _ACCOUNT_DIGITS))
            except AGIAppError:
                typed = ""
            fee = self._lookups.within(lambda session: fee_of_account(session, typed)) if typed else None
        visit.service_type = "fee_query"
        visit.note("fee", "told" if fee else "unknown")
        if fee is None:
            self._say(agi, visit, ["fee_unknown"])
            return
        visit.is_self_served = True
        balance = "fee_owed" if fee.balance_fen < 0 else "fee_balance"
        monthly = ["fee_monthly", *say_yuan(fee.monthly_fee_fen, visit.language)] if fee.monthly_fee_fen else []
        self._say(agi, visit, [balance, *say_yuan(fee.balance_fen, visit.language), *monthly])

    def _offer_callback(self, agi: Conversation, visit: Visit, queue: str) -> None:
        """Say how many are ahead, and offer to call back instead of waiting."""
        ahead = str(agi.get_full_variable(f"${{QUEUE_WAITING_COUNT({QUEUE_PREFIX}{queue})}}") or "0")
        if not ahead.isdigit() or int(ahead) < self.menu.offer_callback_from:
            return
        self._say(agi, visit, ["ahead", *say_integer(min(int(ahead), 9999), visit.language)])
        if not visit.number:
            return
        key = self._ask(agi, visit, "offer_callback", "12")
        visit.note("offer_callback", f"{ahead}:{key or 'none'}")
        if key == "1":
            self._take_callback(visit, queue)
            self._say(agi, visit, ["callback_taken"])
            raise _DoneError

    def _take_callback(self, visit: Visit, queue: str, *, outage_ticket_id: int | None = None) -> None:
        caller, at = visit.caller, utc_now()
        self._writer.put(
            lambda session: ivr.request_callback(
                session,
                external_id=visit.key,
                number=(caller.e164 if caller else None) or visit.number,
                queue=queue,
                kept_since=at,
                customer_id=caller.customer_id if caller else None,
                outage_ticket_id=outage_ticket_id,
            )
        )

    def _write(self, visit: Visit, *, is_over: bool = False) -> None:
        left_at, steps = utc_now(), tuple(visit.steps)
        caller = visit.caller
        self._writer.put(
            lambda session: ivr.record_path(
                session,
                external_id=visit.key,
                number=visit.number,
                called=visit.called,
                customer_id=caller.customer_id if caller else None,
                started_at=visit.started_at,
                left_at=left_at,
                steps=steps,
                service_type=visit.service_type,
                is_self_served=visit.is_self_served,
                is_over=is_over,
            )
        )

    def _ask_callback(self, agi: Conversation) -> None:
        """A caller who waits pressed the key: take the callback down with the place that they had."""
        visit = self._visit(agi)
        arguments = agi.arguments
        queue = arguments[1] if len(arguments) > 1 and arguments[1] else self.menu.default_queue
        entered = arguments[2] if len(arguments) > 2 else ""
        since = datetime.fromtimestamp(int(entered), visit.started_at.tzinfo) if _is_instant(entered) else utc_now()
        visit.caller = self._lookups.within(lambda session: look_up(session, visit.number, called=visit.called))
        caller = visit.caller
        if not visit.number:
            return
        self._writer.put(
            lambda session: ivr.request_callback(
                session,
                external_id=visit.key,
                number=(caller.e164 if caller else None) or visit.number,
                queue=queue,
                kept_since=min(since, visit.started_at),
                customer_id=caller.customer_id if caller else None,
            )
        )
        self._say(agi, visit, ["callback_taken"])

    def _ask_survey(self, agi: Conversation) -> None:
        """After the agent has hung up: one question."""
        visit = self._visit(agi)
        score: int | None = None
        try:
            for _ in range(self.menu.tries):
                key = self._ask(agi, visit, "survey", "12345")
                if key in tuple("12345"):
                    score = int(key)
                    break
            self._say(agi, visit, ["thanks"] if score else ["goodbye"])
        finally:
            asked, answered = visit.started_at, utc_now()
            self._writer.put(
                lambda session: ivr.record_survey(
                    session, external_id=visit.key, score=score, asked_at=asked, at=answered
                )
            )


def _is_instant(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 10

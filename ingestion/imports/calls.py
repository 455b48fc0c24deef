"""Rows of a call file in our terms: texts, instants, stretches; what is wrong is refused."""

from dataclasses import dataclass

import numpy as np

from ingestion.imports.batch import Batch, Flags, Instants, Objects, is_none, only_where
from ingestion.imports.directory import Directory
from ingestion.imports.fields import field_texts
from ingestion.imports.instants import TimeReader, no_instants
from ingestion.imports.mapping import CallFields, Mapping, Timing
from ingestion.imports.stretches import Resolver, Stretch
from ingestion.imports.texts import required

_TEXTS = (
    "channel",
    "direction",
    "outcome",
    "exit_class",
    "block_reason",
    "service_type",
    "product",
    "unit",
    "queue",
    "agent",
    "agent_name",
    "customer",
    "customer_level",
    "caller",
    "called_number",
)
_AFTER_ANSWER = ("alerting", "talk", "hold", "wrap_up")


@dataclass
class CallRows:
    """A batch of calls in our terms; every array has the batch's length."""

    texts: dict[str, Objects]
    started: Instants
    ended: Instants
    visited: Flags
    answered: Flags
    ivr: Stretch | None
    wait: Stretch
    after: dict[str, Stretch]
    flags: Objects

    def segments(self) -> list[tuple[str, Stretch]]:
        """Kind and stretch in the order of a call; the wait is a visit, not a segment."""
        return [*([("ivr", self.ivr)] if self.ivr else []), *self.after.items()]

    @property
    def spoke_until(self) -> Instants:
        """End of the conversation: of the talk, or of the hold after it."""
        result = self.wait.end
        for name in ("talk", "hold"):
            if name in self.after:
                stretch = self.after[name]
                result = np.where(stretch.exists, np.fmax(result, stretch.end), result)
        return result

    @property
    def contact_start(self) -> Instants:
        """The earliest that is known of a call: some logs stamp it after the queue was joined."""
        start = np.fmin(self.started, np.where(self.visited, self.wait.start, self.started))
        return start if self.ivr is None else np.fmin(start, np.where(self.ivr.exists, self.ivr.start, start))


def _exit_classes(read: dict[str, Objects]) -> Objects:
    """What is given, else what follows from the outcome; None: never in a queue."""
    outcome = read["outcome"]
    queued = np.isin(outcome.astype(str), ("answered", "abandoned"))
    return np.where(is_none(read["exit_class"]), only_where(queued, outcome), read["exit_class"])


def _talk_until_the_end(resolver: Resolver, ended: Instants) -> Stretch:
    start = resolver.cursor
    exists = ~np.isnat(ended) & (ended >= start)
    none = np.zeros(len(start), dtype=bool)
    resolver.cursor = np.where(exists, ended, start)
    return Stretch(start, resolver.cursor, exists, none, none)


def _flags(stretches: dict[str, tuple[Stretch, Flags]], size: int) -> Objects:
    """What was found odd and mended, e.g. `ivr_time_negative`; the first of a row."""
    result: Objects = np.full(size, None, dtype=object)
    for name, (stretch, counts) in stretches.items():
        for kind, where in (("negative", stretch.backwards), ("differs", stretch.differs)):
            result[where & counts & is_none(result)] = f"{name}_time_{kind}"
    return result


def read_calls(batch: Batch, mapping: Mapping, directory: Directory, times: TimeReader) -> CallRows:
    """The batch in our terms; rows with a fault are refused with the reason, the first one found."""
    fields = mapping.fields
    assert isinstance(fields, CallFields)  # noqa: S101 - kind and block agree
    started = times.instant(fields.started_at, batch, field="started_at")
    batch.refuse(np.isnat(started), "started_at is empty")
    read = {name: field_texts(getattr(fields, name), batch, directory, field=name) for name in _TEXTS}
    required(read["outcome"], batch, field="outcome")
    required(read["channel"], batch, field="channel")
    blocked = np.asarray(read["outcome"] == "blocked", dtype=np.bool_)
    batch.refuse(blocked & is_none(read["block_reason"]), "blocked, but block_reason is empty")
    read["block_reason"] = only_where(blocked, read["block_reason"])
    read["exit_class"] = _exit_classes(read)
    visited, answered = ~is_none(read["exit_class"]), np.asarray(read["exit_class"] == "answered", dtype=np.bool_)

    resolver = Resolver(times, batch, started, times.clock.to_local(started), started)
    ivr = resolver.resolve(fields.ivr, field="ivr") if fields.ivr else None
    wait = resolver.resolve(fields.wait, field="wait") if fields.wait else resolver.nothing()
    left_queue = resolver.cursor
    total = _total_end(fields, batch, started, times)
    after = _after_answer(fields, resolver, answered, total)
    everyone = np.ones(len(batch), dtype=bool)
    flags = _flags(
        ({"ivr": (ivr, everyone)} if ivr else {})
        | {"wait": (wait, visited)}
        | {name: (stretch, answered) for name, stretch in after.items()},
        len(batch),
    )
    ended = np.fmax(started, total)
    ended = np.fmax(ended, np.where(visited, left_queue, ivr.end if ivr else started))
    for stretch in after.values():
        ended = np.where(answered & stretch.exists, np.fmax(ended, stretch.end), ended)
    return CallRows(read, started, ended, visited, answered, ivr, wait, after, flags)


def _total_end(fields: CallFields, batch: Batch, started: Instants, times: TimeReader) -> Instants:
    """End of the whole call as the file gives it, NaT where it does not."""
    ended = no_instants(len(batch))
    if fields.ended_at is not None or fields.seconds is not None:
        whole = Timing(end=fields.ended_at, seconds=fields.seconds)
        resolver = Resolver(times, batch, started, times.clock.to_local(started), started)
        stretch = resolver.resolve(whole, field="the call")
        ended = np.where(stretch.exists, stretch.end, ended)
    return ended


def _after_answer(fields: CallFields, resolver: Resolver, answered: Flags, total: Instants) -> dict[str, Stretch]:
    """Alerting, talk, hold and wrap-up as far as the mapping has them; talk fills the call if nothing else is said."""
    after = {}
    for name in _AFTER_ANSWER:
        timing: Timing | None = getattr(fields, name)
        if timing is not None:
            after[name] = resolver.resolve(timing, field=name, only=answered)
        elif name == "talk":
            after[name] = _talk_until_the_end(resolver, np.where(answered, total, np.datetime64("NaT")))
    return after

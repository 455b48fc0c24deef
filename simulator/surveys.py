"""What customers answer when they are asked how it was."""

from dataclasses import dataclass

import numpy as np

from simulator.calls import Handled
from simulator.clock import DAY_MS, MINUTE_MS
from simulator.columns import NEVER, Floats, Ints
from simulator.contacts import ANSWERED, VOICE, Catalogue
from simulator.parameters import Parameters
from simulator.staff import Staff
from simulator.tickets import Tickets


@dataclass
class Answers:
    """One entry a question; -1 is none, instants in simulated ms."""

    contact: Ints
    ticket: Ints
    asked: Ints
    answered: Ints
    score: Ints


def ask(
    rng: np.random.Generator, parameters: Parameters, catalogue: Catalogue, handled: Handled, tickets: Tickets,
    staff: Staff, end: int,
) -> Answers:  # fmt: skip
    """Ask after answered calls and chats, and in the follow-up of closed tickets."""
    p, contacts = parameters.surveys, handled.contacts
    asks = (contacts.channel == VOICE) | (contacts.channel == catalogue.channels.index("web_chat"))
    asks &= (handled.outcome == ANSWERED) & (handled.end < end - 10 * MINUTE_MS)
    who = np.flatnonzero(asks & (rng.random(contacts.count) < p.contact_asked))
    complaining = contacts.service[who] == catalogue.services.index("complaint")
    mood = (
        p.base
        + p.per_minute_waited * np.minimum(handled.waited_ms[who] / MINUTE_MS, 6)
        + p.complaint * complaining
        + p.agent_quality * staff.quality[handled.agent[who]]
    )
    first = _answers(rng, who, True, handled.end[who] + 5_000, mood, p.contact_response, p.spread, 4, end)

    done = np.flatnonzero((tickets.closed != NEVER) & (rng.random(tickets.count) < p.ticket_asked) & ~tickets.is_outage)
    resolved = np.where(tickets.resolved[done] == NEVER, tickets.closed[done], tickets.resolved[done])
    late = np.maximum(0, resolved - tickets.resolution_due[done]) / DAY_MS
    complaining = tickets.service[done] == catalogue.services.index("complaint")
    mood = p.base + p.per_late_day * np.minimum(late, 8) + p.complaint * complaining
    asked = tickets.closed[done] - rng.integers(1, 4, len(done)) * MINUTE_MS
    asked = np.maximum(asked, tickets.created[done])
    second = _answers(rng, done, False, asked, mood, p.ticket_response, p.spread, 2, end)
    return Answers(**{name: np.concatenate([value, vars(second)[name]]) for name, value in vars(first).items()})


def _answers(
    rng: np.random.Generator, who: Ints, of_contact: bool, asked: Ints, mood: Floats, response: float, spread: float,
    minutes: float, end: int,
) -> Answers:  # fmt: skip
    count = len(who)
    score = np.round(mood + rng.normal(0, spread, count)).clip(1, 5).astype(np.int64)
    answered = asked + (rng.exponential(minutes, count) * MINUTE_MS).astype(np.int64) + 3_000
    # The very pleased and the very displeased answer more often.
    replies = (rng.random(count) < response * np.where((score == 3) | (score == 4), 0.85, 1.2)) & (answered < end)
    none = np.full(count, -1, np.int64)
    return Answers(
        contact=who if of_contact else none,
        ticket=none if of_contact else who,
        asked=asked,
        answered=np.where(replies, answered, NEVER),
        score=np.where(replies, score, -1),
    )

"""Contacts beside the telephone: who handles them and when. They wait for a person, not in a queue of the hotline."""

import numpy as np

from simulator.calls import Handled
from simulator.clock import DAY_MS, HOUR_MS, MINUTE_MS
from simulator.columns import NEVER
from simulator.contacts import ABANDONED, ANSWERED, OTHER, Catalogue, Contacts
from simulator.parameters import Parameters
from simulator.staff import Staff


def handle_others(
    rng: np.random.Generator, parameters: Parameters, catalogue: Catalogue, contacts: Contacts, staff: Staff
) -> Handled:
    """Answer and handle contacts of all channels but voice."""
    count = contacts.count
    channels = [parameters.channels[name] for name in catalogue.channels[1:]]
    kind = contacts.channel - 1
    wait = np.array([c.answer_minutes for c in channels])[kind] * rng.lognormal(0, 0.6, count) * MINUTE_MS
    work = np.array([c.handle_minutes for c in channels])[kind] * rng.lognormal(0, 0.5, count) * MINUTE_MS
    answered = _in_open_hours(rng, parameters, contacts.start + wait.astype(np.int64))
    outcome = np.full(count, ANSWERED, np.int64)
    # A chat is left by whoever lost patience; a call back does not always find somebody.
    draw = rng.random(count)
    outcome[(contacts.channel == catalogue.channels.index("web_chat")) & (draw < 0.07)] = ABANDONED
    outcome[(contacts.channel == catalogue.channels.index("web_callback")) & (draw < 0.12)] = OTHER
    taken = outcome == ANSWERED
    end = np.where(taken, answered + work.astype(np.int64), contacts.start + (wait * 0.7).astype(np.int64) + 5000)
    walk_in = contacts.channel == catalogue.channels.index("walk_in")
    return Handled(
        contacts=contacts,
        end=end,
        outcome=outcome,
        block=np.full(count, -1, np.int64),
        self_served=np.zeros(count, bool),
        agent=np.where(taken, staff.pick(rng, contacts.city, walk_in), -1),
        ivr_ms=np.zeros(count, np.int64),
        waited_ms=np.where(taken, answered, end) - contacts.start,
        answered_at=np.where(taken, answered, NEVER),
    )


def _in_open_hours(rng: np.random.Generator, parameters: Parameters, moment: np.ndarray) -> np.ndarray:
    """What would be answered at night is answered in the morning."""
    opens, closes = (hour * HOUR_MS for hour in parameters.hotline_hours)
    of_day = moment % DAY_MS
    morning = opens + rng.integers(0, 90 * MINUTE_MS, len(moment))
    next_day = (moment // DAY_MS + 1) * DAY_MS + morning
    today = moment // DAY_MS * DAY_MS + morning
    return np.where(of_day >= closes, next_day, np.where(of_day < opens, today, moment))


def merge(calls: Handled, others: Handled) -> tuple[Handled, np.ndarray]:
    """All contacts ordered by start, and the new position of each call."""
    contacts = {k: np.concatenate([v, vars(others.contacts)[k]]) for k, v in vars(calls.contacts).items()}
    order = np.argsort(contacts["start"], kind="stable")
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    rest = [np.concatenate([v, vars(others)[k]])[order] for k, v in vars(calls).items() if k != "contacts"]
    return Handled(Contacts(**contacts).take(order), *rest), place[: calls.contacts.count]

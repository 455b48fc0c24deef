"""The hotline's people: how many are planned, who works which shift at which seat, and when they pause."""

from dataclasses import dataclass
from math import ceil

import numpy as np

from simulator.clock import DAY_MS, HOUR_MS, MINUTE_MS, Clock
from simulator.columns import Floats, Ints
from simulator.demand import DayShapes
from simulator.engine_parts import LOG_IN, LOG_OUT, PAUSE
from simulator.parameters import Parameters, Service

_SLOTS = 48
#: An idle half-hour of an agent against one that is short of an agent.
_COST_OF_IDLE = 0.25


@dataclass(frozen=True)
class Roster:
    """Everything the centre knows beforehand. Shifts are sorted by start; agents and seats are indexes (id - 1)."""

    groups: list[str]
    group_queues: list[list[str]]
    agent_group: Ints
    agent_centre: Ints
    agent_speed: Floats
    agent_quality: Floats
    seat_centre: Ints
    seat_centre_number: Ints
    centres: list[str]
    shift_agent: Ints
    shift_seat: Ints
    shift_start: Ints
    shift_end: Ints
    shift_absent: np.ndarray
    events: Ints  # (time, kind, agent, value, extra) × events, sorted by time
    pause_reasons: list[str]
    pause_paid: list[bool]

    @property
    def agents(self) -> int:
        """How many agents there are."""
        return len(self.agent_group)

    def seat_at(self, agent: Ints, moment: Ints) -> Ints:
        """The seat (index) of an agent in a moment of a day on which the agent works."""
        key = self.shift_agent * 100_000 + self.shift_start // DAY_MS
        order = np.argsort(key, kind="stable")
        found = np.searchsorted(key[order], agent * 100_000 + moment // DAY_MS)
        seat: Ints = self.shift_seat[order[np.minimum(found, len(order) - 1)]]
        return seat


def mean_handle_seconds(parameters: Parameters) -> float:
    """Expected alerting + talk + hold + wrap-up of a call that reaches an agent."""

    def reaches(service: Service) -> float:
        return service.voice * (1 - service.self_service)

    services = list(parameters.service_types.values())
    weight = sum(reaches(service) for service in services)
    mean = sum(
        reaches(s) * (s.talk * np.exp(s.spread**2 / 2) + s.hold * parameters.hold_mean_seconds + s.wrap)
        for s in services
    ) / weight  # fmt: skip
    return float(mean) + parameters.alert.mean_seconds


def reaching_share(parameters: Parameters) -> float:
    """Share of the calls in open hours that reach a queue."""
    services = parameters.service_types.values()
    served = sum(s.voice * s.self_service for s in services) / sum(s.voice for s in services)
    return (1 - served - parameters.ivr.hang_up_share) * (1 - parameters.off_hours_calls)


def planned_agents(parameters: Parameters, shapes: DayShapes, calls_a_day: float) -> Ints:
    """Agents wanted per day and half-hour (48): load / occupancy + β √load, a little more for pauses."""
    opens, closes = parameters.hotline_hours
    calls = (shapes.planned * shapes.voice_growth * calls_a_day)[:, None] * np.repeat(shapes.hours, 2, axis=1) / 2
    load = calls * reaching_share(parameters) * mean_handle_seconds(parameters) / 1800
    staffing = parameters.staffing
    wanted = load / staffing.occupancy + staffing.margin * np.sqrt(load)
    numbers = np.zeros((len(load), _SLOTS), np.int64)
    # Somebody has to be there while others eat.
    slot = opens + np.arange(wanted.shape[1]) / 2
    for start, end in staffing.meal_hours:
        wanted[:, (slot >= start) & (slot < end)] *= 1 + staffing.meal_extra
    rounded = np.maximum(staffing.least, np.ceil(wanted - 0.25)).astype(np.int64)
    numbers[:, opens * 2 : closes * 2] = rounded
    return numbers


def cover(wanted: Ints, shifts: list[tuple[int, int]]) -> Ints:
    """How many of each shift cover the half-hours of one day, greedily; a sliver may stay uncovered."""
    masks = np.zeros((len(shifts), _SLOTS), np.int64)
    for number, (start, end) in enumerate(shifts):
        masks[number, start * 2 : end * 2] = 1
    slots = masks.sum(axis=1)
    left = wanted.copy()
    numbers = np.zeros(len(shifts), np.int64)
    while True:
        # A half-hour that is short counts one, one that gets too many costs a part of it.
        worth = masks @ np.where(left > 0, 1.0, -_COST_OF_IDLE)
        best = int(np.argmax(worth / np.sqrt(slots)))
        if worth[best] <= 0:
            return numbers
        step = max(1, int(left[masks[best] == 1].max() // 16))
        numbers[best] += step
        left -= masks[best] * step


def build_roster(parameters: Parameters, shapes: DayShapes, clock: Clock, calls_a_day: float, seed: int) -> Roster:
    """Plan, hire and seat the agents of the whole period."""
    rng = np.random.default_rng([seed, 2])
    staffing = parameters.staffing
    wanted = planned_agents(parameters, shapes, calls_a_day)
    cache: dict[bytes, Ints] = {}
    counts = np.stack([cache.setdefault(day.tobytes(), cover(day, staffing.shifts)) for day in wanted])
    peak = int(wanted.max())
    a_week = max(counts[d : d + 7].sum() for d in range(max(1, len(counts) - 6)))
    agents = max(int(counts.sum(axis=1).max()), ceil(a_week / min(7, len(counts)) * 7 / staffing.days_a_week * 1.04))
    names, shares, queues = _groups(parameters, peak)
    group = np.repeat(np.arange(len(names)), _split(agents, shares))
    centres = [c for c in parameters.centres.values() if peak >= c.from_seats]
    centre = _interleave(agents, np.array([c.share for c in centres]))
    shift_agent, shift_kind, shift_day = _assign(rng, counts, agents, group, len(names))
    hours = np.array(staffing.shifts)[shift_kind]
    start, end = (shift_day * DAY_MS + hours[:, side] * HOUR_MS for side in (0, 1))
    order = np.lexsort((shift_agent, start))
    shift_agent, start, end = shift_agent[order], start[order], end[order]
    seat, seat_centre, seat_number = _seat(start, end, centre[shift_agent], len(centres), staffing.spare_seats)
    absent = rng.random(len(start)) < staffing.unplanned_absence
    # The least of everybody: nobody may be absent where only few are planned.
    absent &= peak >= 8
    reasons = list(dict.fromkeys([pause.reason for pause in parameters.pauses] + [parameters.no_answer_reason]))
    paid = [all(p.paid for p in parameters.pauses if p.reason == reason) for reason in reasons]
    return Roster(
        groups=names,
        group_queues=queues,
        agent_group=group,
        agent_centre=centre,
        agent_speed=np.exp(rng.normal(0, staffing.speed_spread, agents)),
        agent_quality=rng.normal(0, 1, agents),
        seat_centre=seat_centre,
        seat_centre_number=seat_number,
        centres=[c.city for c in centres],
        shift_agent=shift_agent,
        shift_seat=seat,
        shift_start=start,
        shift_end=end,
        shift_absent=absent,
        events=_events(rng, parameters, shift_agent[~absent], start[~absent], end[~absent], reasons),
        pause_reasons=reasons,
        pause_paid=paid,
    )


def _groups(parameters: Parameters, peak: int) -> tuple[list[str], list[float], list[list[str]]]:
    if peak < parameters.groups_from_agents:
        return ["all"], [1.0], [list(parameters.queues)]
    groups = parameters.groups
    return list(groups), [g.share for g in groups.values()], [g.queues for g in groups.values()]


def _split(total: int, shares: list[float]) -> Ints:
    edges = np.round(np.cumsum(shares) / sum(shares) * total).astype(np.int64)
    return np.diff(edges, prepend=0)


def _interleave(count: int, shares: Floats) -> Ints:
    """Numbers 0, 1, … in proportion to the shares, mixed evenly."""
    edges = np.cumsum(shares) / shares.sum()
    spot = (np.arange(count) * 0.6180339887) % 1.0
    mixed: Ints = np.searchsorted(edges, spot, side="right").clip(0, len(shares) - 1)
    return mixed


def _assign(rng: np.random.Generator, counts: Ints, agents: int, group: Ints, groups: int) -> tuple[Ints, Ints, Ints]:
    """Who works which shift: those with the fewest shifts of the last six days first, each group its share."""
    worked = np.zeros((len(counts) + 6, agents), np.int8)
    sizes = np.bincount(group, minlength=groups)
    turn = _interleave(int(counts.sum(axis=1).max()), sizes.astype(np.float64))
    who, what, when = [], [], []
    for day, numbers in enumerate(counts):
        kinds = np.repeat(np.arange(len(numbers)), numbers)
        load = worked[day : day + 6].sum(axis=0) + rng.random(agents)
        chosen = np.full(len(kinds), -1, np.int64)
        # The same mix of skills in every kind of shift.
        wants = turn[: len(kinds)]
        for number in range(groups):
            members = np.flatnonzero(group == number)
            places = np.flatnonzero(wants == number)[: len(members)]
            chosen[places] = members[np.argsort(load[members], kind="stable")[: len(places)]]
        kept = chosen >= 0
        worked[day + 6, chosen[kept]] = 1
        who.append(chosen[kept])
        what.append(kinds[kept])
        when.append(np.full(int(kept.sum()), day, np.int64))
    return np.concatenate(who), np.concatenate(what), np.concatenate(when)


def _seat(start: Ints, end: Ints, centre: Ints, centres: int, spare: float) -> tuple[Ints, Ints, Ints]:
    """The seat of each shift (first free one of its centre, half an hour between two people), and the seats."""
    number = np.zeros(len(start), np.int64)
    used = [0] * centres
    for place in range(centres):
        free_at: list[int] = []
        for shift in np.flatnonzero(centre == place):
            seat = next((seat for seat, free in enumerate(free_at) if free <= start[shift]), len(free_at))
            if seat == len(free_at):
                free_at.append(0)
            free_at[seat] = int(end[shift]) + HOUR_MS
            number[shift] = seat
        used[place] = ceil(len(free_at) * (1 + spare))
    offsets = np.cumsum([0, *used[:-1]])
    seat_centre = np.repeat(np.arange(centres), used)
    return number + offsets[centre], seat_centre, np.concatenate([np.arange(n) + 1 for n in used])


def _events(
    rng: np.random.Generator, parameters: Parameters, agent: Ints, start: Ints, end: Ints, reasons: list[str]
) -> Ints:
    count = len(agent)
    log_in = start + np.round(rng.normal(-1.5, 1.5, count).clip(-5, 6) * MINUTE_MS).astype(np.int64)
    closing = end % DAY_MS == parameters.hotline_hours[1] * HOUR_MS
    none = np.full(count, -1, np.int64)
    rows = [
        np.stack([log_in, np.full(count, LOG_IN), agent, end, none]),
        np.stack([end, np.full(count, LOG_OUT), agent, closing.astype(np.int64), none]),
    ]
    long = end - start > 5 * HOUR_MS
    for pause in parameters.pauses:
        taken = rng.random(count) < pause.share
        if pause.long_only:
            taken &= long
        at = start + ((end - start) * rng.normal(pause.at, pause.spread, count).clip(0.02, 0.9)).astype(np.int64)
        minutes = pause.minutes * rng.lognormal(0, 0.15, count)
        length = np.round(minutes * 60).astype(np.int64) * 1000
        kind, reason = np.full(count, PAUSE), np.full(count, reasons.index(pause.reason))
        rows.append(np.stack([np.maximum(at, log_in + MINUTE_MS), kind, agent, length, reason])[:, taken])
    events = np.concatenate(rows, axis=1)
    ordered: Ints = np.ascontiguousarray(events[:, np.lexsort((events[2], events[1], events[0]))])
    return ordered

"""Waiting in a queue with n agents: Erlang B, C (callers never hang up) and A (callers lose patience)."""

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import betainc, digamma


@dataclass(frozen=True)
class Service:
    """What callers and agents of one interval experience in the long run.

    Attributes:
        wait_probability: share of callers who must wait.
        service_level: answered within the target / offered (the negative service level: the headline).
        answer_seconds: mean wait of the answered (ASA); infinite if the queue grows without end.
        abandon_probability: share of callers who hang up; 0 with endless patience.
        occupancy: share of agents' time on calls.
        queue_length: mean number waiting.
    """

    wait_probability: float
    service_level: float
    answer_seconds: float
    abandon_probability: float
    occupancy: float
    queue_length: float


_IDLE = Service(0.0, 1.0, 0.0, 0.0, 0.0, 0.0)


def erlang_b(load: float, agents: int) -> float:
    """Blocking probability of `load` erlangs on `agents` lines without a queue; stable for any size."""
    _check(load=load, agents=agents)
    blocked = 1.0
    for n in range(1, agents + 1):
        blocked = load * blocked / (n + load * blocked)
    return blocked


def erlang_c(
    calls: float, interval_seconds: float, handle_seconds: float, agents: int, target_seconds: float
) -> Service:
    """Erlang C: callers wait for ever.

    Args:
        calls: offered in the interval.
        interval_seconds: its length.
        handle_seconds: mean handle time (talk, hold and wrap-up).
        agents: agents at work; with no more than the load in erlangs the queue grows without end.
        target_seconds: T of the service level.
    """
    _check(calls=calls, handle_seconds=handle_seconds, agents=agents, target_seconds=target_seconds)
    _positive(interval_seconds=interval_seconds)
    load = calls * handle_seconds / interval_seconds
    if load == 0:
        return _IDLE
    if agents <= load:
        return Service(1.0, 0.0, math.inf, 0.0, 1.0, math.inf)
    blocked = erlang_b(load, agents)
    waits = blocked / (1.0 - load / agents * (1.0 - blocked))
    spare = (agents - load) / handle_seconds
    level = 1.0 - waits * math.exp(-spare * target_seconds)
    answer = waits / spare
    return Service(waits, level, answer, 0.0, load / agents, calls / interval_seconds * answer)


def erlang_a(
    calls: float,
    interval_seconds: float,
    handle_seconds: float,
    agents: int,
    target_seconds: float,
    patience_seconds: float,
) -> Service:
    """Erlang A (M/M/n+M): callers hang up after an exponential patience of mean `patience_seconds`.

    Exact stationary distribution (Palm 1957; Mandelbaum, Zeltyn 2007). A caller who meets j others waiting is answered
    after V with 1 − exp(−V / patience) ~ Beta(j + 1, n · patience / handle time), whence the service level and the ASA.
    """
    _check(calls=calls, agents=agents, target_seconds=target_seconds)
    _positive(interval_seconds=interval_seconds, patience_seconds=patience_seconds, handle_seconds=handle_seconds)
    if calls == 0:
        return _IDLE
    arrive, serve, leave = calls / interval_seconds, 1.0 / handle_seconds, 1.0 / patience_seconds
    if agents == 0:
        return Service(1.0, 0.0, math.inf, 1.0, 0.0, arrive / leave)
    free, waiting, met = _states(arrive, serve, leave, agents)
    shape = agents * serve / leave
    stays = shape / (shape + waiting + 1.0)
    elapsed = -math.expm1(-leave * target_seconds)
    in_time = betainc(waiting + 1.0, shape + 1.0, elapsed) if elapsed < 1.0 else np.ones(len(waiting))
    at_once = float(free.sum())
    answered = at_once + float(met @ stays)
    delay = (digamma(shape + waiting + 2.0) - digamma(shape + 1.0)) / leave
    busy = float(np.arange(agents) @ free) + agents * float(met.sum())
    return Service(
        wait_probability=float(met.sum()),
        service_level=min(at_once + float(met @ (stays * in_time)), 1.0),
        answer_seconds=float(met @ (stays * delay)) / answered if answered > 0 else math.inf,
        abandon_probability=max(1.0 - answered, 0.0),
        occupancy=busy / agents,
        queue_length=float(met @ waiting),
    )


def service(
    calls: float,
    interval_seconds: float,
    handle_seconds: float,
    agents: int,
    target_seconds: float,
    patience_seconds: float | None = None,
) -> Service:
    """Erlang A if a patience is given, else Erlang C."""
    if patience_seconds is None or math.isinf(patience_seconds):
        return erlang_c(calls, interval_seconds, handle_seconds, agents, target_seconds)
    return erlang_a(calls, interval_seconds, handle_seconds, agents, target_seconds, patience_seconds)


def _states(arrive: float, serve: float, leave: float, agents: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Probabilities of 0…agents − 1 callers present, numbers waiting that matter, and their probabilities.

    In logarithms, so that no size overflows; around the likeliest queue only, so that a hopeless overload is quick.
    """
    likeliest = max((arrive - agents * serve) / leave, 0.0)
    width = 12.0 * math.sqrt(arrive / leave + agents) + 64.0
    first = max(math.floor(likeliest - width), 0)
    waiting = np.arange(first, math.ceil(likeliest + width))
    steps = np.log(arrive / (agents * serve + waiting[1:] * leave))
    queue = np.concatenate([[0.0], np.cumsum(steps)])
    top = queue.max()
    idle = np.full(agents, -np.inf)
    if first == 0:  # Else an agent is never free, as far as numbers can tell.
        idle = -np.cumsum(np.log(arrive / (np.arange(agents, 0, -1) * serve)))[::-1]
        top = max(top, float(idle.max()))
    free, wait = np.exp(idle - top), np.exp(queue - top)
    total = free.sum() + wait.sum()
    return free / total, waiting, wait / total


def _check(**values: float) -> None:
    for name, value in values.items():
        if not value >= 0 or math.isinf(value):
            raise ValueError(f"{name} is {value}; it is a number from 0 on.")


def _positive(**values: float) -> None:
    for name, value in values.items():
        if not value > 0 or math.isinf(value):
            raise ValueError(f"{name} is {value}; it is a number above 0.")

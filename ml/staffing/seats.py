"""Agents that an interval needs for its target, and the positions to roster for them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ml.staffing.erlang import Service, service

#: No centre is larger; a target that needs more cannot be met.
_MOST_AGENTS = 100_000


@dataclass(frozen=True)
class Need:
    """Agents for one interval.

    Attributes:
        agents: agents at work.
        positions: people to roster, shrinkage added.
        service: what these agents give.
    """

    agents: int
    positions: int
    service: Service


def positions(agents: int, shrinkage: float) -> int:
    """People to roster so that `agents` are at work when a share `shrinkage` of rostered time is not worked."""
    if not 0 <= shrinkage < 1:
        raise ValueError(f"shrinkage is {shrinkage}; it lies from 0 to below 1.")
    # 1e-9: 14 / (1 - 0.3) is 20, whatever the last binary digit says.
    return math.ceil(agents / (1.0 - shrinkage) - 1e-9)


def seats_needed(
    calls: float,
    interval_seconds: float,
    handle_seconds: float,
    *,
    target_level: float = 0.8,
    target_seconds: float = 20.0,
    patience_seconds: float | None = None,
    shrinkage: float = 0.0,
    most_occupancy: float = 1.0,
    most_abandon: float = 1.0,
    least_agents: int = 0,
) -> Need:
    """The fewest agents that meet every target of an interval.

    Args:
        calls: offered calls; give a high quantile of the forecast to be safe.
        interval_seconds, handle_seconds: length of the interval and mean handle time.
        target_level: wanted share answered within `target_seconds`.
        patience_seconds: mean patience (Erlang A); None: Erlang C.
        shrinkage: share of rostered time not worked.
        most_occupancy: agents' load allowed.
        most_abandon: abandon probability allowed.
        least_agents: never fewer (a queue that must be open).

    Raises:
        ValueError: a target outside 0…1 that no number of agents can meet.
    """
    if not 0 <= target_level < 1 or not 0 < most_occupancy <= 1 or not 0 < most_abandon <= 1:
        raise ValueError(
            f"target_level is {target_level} (from 0 to below 1), most_occupancy {most_occupancy} and most_abandon "
            f"{most_abandon} (above 0 up to 1)."
        )

    def meets(agents: int) -> bool:
        got = service(calls, interval_seconds, handle_seconds, agents, target_seconds, patience_seconds)
        return (
            got.service_level >= target_level
            and got.occupancy <= most_occupancy
            and got.abandon_probability <= most_abandon
        )

    low, high = least_agents, max(least_agents, 1)
    while not meets(high):
        low, high = high + 1, high * 2
        if high > _MOST_AGENTS:
            raise ValueError(f"More than {_MOST_AGENTS} agents would be needed for {calls} calls; check the inputs.")
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if meets(middle) else (middle + 1, high)
    got = service(calls, interval_seconds, handle_seconds, low, target_seconds, patience_seconds)
    return Need(low, positions(low, shrinkage), got)


def seats_per_interval(
    calls: Sequence[float],
    interval_seconds: float,
    handle_seconds: float | Sequence[float],
    *,
    target_level: float = 0.8,
    target_seconds: float = 20.0,
    patience_seconds: float | None = None,
    shrinkage: float = 0.0,
    most_occupancy: float = 1.0,
    most_abandon: float = 1.0,
    least_agents: int = 0,
) -> list[Need]:
    """`seats_needed` for each interval of a day or week; `handle_seconds` is one number or one an interval."""
    each = [handle_seconds] * len(calls) if isinstance(handle_seconds, int | float) else list(handle_seconds)
    if len(each) != len(calls):
        raise ValueError(f"{len(calls)} intervals and {len(each)} handle times were given; as many are needed.")
    return [
        seats_needed(
            float(offered),
            interval_seconds,
            float(handle),
            target_level=target_level,
            target_seconds=target_seconds,
            patience_seconds=patience_seconds,
            shrinkage=shrinkage,
            most_occupancy=most_occupancy,
            most_abandon=most_abandon,
            least_agents=least_agents,
        )
        for offered, handle in zip(calls, each, strict=True)
    ]

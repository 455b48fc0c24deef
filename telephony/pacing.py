"""How many customers may be rung at a moment: never more than agents wait, fewer when too many found nobody."""

from dataclasses import dataclass

from crm_api.routing.outbound import ABANDONED_AT_MOST


@dataclass(frozen=True)
class Moment:
    """One queue at one moment: agents free, calls being dialled or waiting for an agent, and the last day's record."""

    free_agents: int
    in_flight: int
    waiting_callers: int
    answered: int
    abandoned: int


def may_ring(moment: Moment) -> int:
    """How many more customers may be rung now.

    Callers who wait have the free agents first. One ring an agent (progressive). An agent may still vanish while it
    rings; so once another such call could break the limit, an agent is kept in reserve for each call that rings.
    """
    free = moment.free_agents - moment.waiting_callers
    is_tight = moment.abandoned + 1 > ABANDONED_AT_MOST * (moment.answered + 1)
    if moment.answered and moment.abandoned / moment.answered > ABANDONED_AT_MOST:
        # Over the limit: one at a time, three agents for one customer, until the share has fallen.
        return 1 if moment.in_flight == 0 and free >= 3 else 0
    if is_tight:
        return max(0, free // 2 - moment.in_flight)
    return max(0, free - moment.in_flight)


def may_preview(moment: Moment) -> int:
    """How many agents may be rung first now: whoever waits has them before; no customer can find nobody."""
    return max(0, moment.free_agents - moment.waiting_callers - moment.in_flight)

"""By what figures can be grouped and filtered, and which figures a way of grouping cannot answer."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from core.errors import BadInputError
from warehouse.reader import Reader


@dataclass(frozen=True)
class Dimension:
    """A way to group or filter: SQL over the row `fact`, the join it needs, the column the table must have.

    `members` lists its known codes; empty: days, which have none.
    """

    name: str
    sql: str
    column: str
    members: str
    join: str = ""


#: The join of dimensions whose members are days.
DATE = "inner join dim_date as calendar on fact.date_key = calendar.date_key"

#: What `by` and `filters` may name.
DIMENSIONS: Mapping[str, Dimension] = {
    each.name: each
    for each in (
        Dimension("day", "calendar.date", "date_key", "", DATE),
        Dimension("week", "calendar.week_start", "date_key", "", DATE),
        Dimension("month", "calendar.month_start", "date_key", "", DATE),
        Dimension(
            "half_hour",
            "half_hours.label",
            "half_hour_key",
            "select label from dim_half_hour",
            "inner join dim_half_hour as half_hours on fact.half_hour_key = half_hours.half_hour_key",
        ),
        Dimension(
            "branch",
            "branches.code",
            "branch_key",
            "select code from dim_branch",
            "inner join dim_branch as branches on fact.branch_key = branches.branch_key",
        ),
        Dimension("city", "fact.city_code", "city_code", "select distinct city_code from dim_branch"),
        Dimension("channel", "fact.channel_code", "channel_code", "select channel_code from dim_channel"),
        Dimension(
            "queue",
            "queues.code",
            "queue_key",
            "select code from dim_queue",
            "inner join dim_queue as queues on fact.queue_key = queues.queue_key",
        ),
        Dimension(
            "service_type",
            "fact.service_type_code",
            "service_type_code",
            "select service_type_code from dim_service_type",
        ),
        Dimension("product", "fact.product_code", "product_code", "select product_code from dim_product"),
        Dimension(
            "agent",
            "agents.code",
            "agent_key",
            "select code from dim_agent",
            "inner join dim_agent as agents on fact.agent_key = agents.agent_key",
        ),
        Dimension("source", "fact.source", "source", "select distinct source from kpi_day"),
    )
}
ALIASES = {"type": "service_type"}

#: kpi tables, smallest first, with the columns they can be grouped by.
TABLES: Mapping[str, frozenset[str]] = {
    "kpi_day": frozenset(
        ("date_key", "branch_key", "city_code", "channel_code", "queue_key", "service_type_code", "source")
    ),
    "kpi_half_hour": frozenset(
        ("date_key", "half_hour_key", "city_code", "channel_code", "queue_key", "service_type_code", "source")
    ),
    "kpi_product_day": frozenset(
        ("date_key", "city_code", "channel_code", "service_type_code", "product_code", "source")
    ),
    "kpi_agent_day": frozenset(("date_key", "city_code", "agent_key", "channel_code", "source")),
}
_TICKETS = frozenset(
    (
        "tickets", "complaints", "tickets_open", "tickets_dispatched", "tickets_resolved", "tickets_closed",
        "tickets_reopened", "tickets_returned", "tickets_rejected", "first_response_ended", "first_response_met",
        "resolution_ended", "resolution_met", "tickets_timed", "hours_to_resolve",
    )
)  # fmt: skip
_REJECTS = frozenset(("rejected",))
_SEAT_TIME = frozenset(
    (
        "installed_seconds", "occupied_seconds", "seat_on_contact_seconds", "on_contact_seconds", "available_seconds",
        "pause_seconds", "paid_pause_seconds", "scheduled_seconds", "scheduled_worked_seconds",
        "scheduled_pause_seconds", "scheduled_absent_seconds",
    )
)  # fmt: skip

#: Column -> measures of facts that do not know it: all their rows stand under its unknown member, which is no answer.
UNANSWERED: Mapping[str, frozenset[str]] = {
    "channel_code": _SEAT_TIME,
    "service_type_code": _SEAT_TIME,
    "product_code": _SEAT_TIME | _REJECTS,
    "queue_key": _SEAT_TIME | _REJECTS | _TICKETS,
    "agent_key": _REJECTS | _TICKETS,
}
#: Grouped by one of these, the rows of seats' time are left out, so that they make no group of unknown.
NOT_OF_SEATS = frozenset(column for column, measures in UNANSWERED.items() if measures >= _SEAT_TIME)
#: Codes told in an error.
_TOLD = 40


def dimension(name: str) -> Dimension:
    """The dimension of a name that a person typed; BadInputError if there is none."""
    known = DIMENSIONS.get(ALIASES.get(name, name))
    if known is None:
        raise BadInputError(f"There is no dimension {name!r}.", f"Known: {', '.join([*DIMENSIONS, *ALIASES])}.")
    return known


def table_for(columns: Iterable[str], typed: Sequence[str]) -> str:
    """The smallest kpi table that carries the columns; `typed` is how the person named them.

    Raises:
        BadInputError: no table carries them together.
    """
    wanted = set(columns)
    for name, carried in TABLES.items():
        if wanted <= carried:
            return name
    raise BadInputError(
        f"No figures are kept by {', '.join(dict.fromkeys(typed))} together.",
        "half_hour goes with city, channel, queue, type, not branch; product with city, channel, type; "
        "agent with city and channel.",
    )


def require_known(reader: Reader, name: str, codes: Sequence[str]) -> None:
    """BadInputError if the dimension has no member of one of the codes; `name` is how the person named it."""
    asked = dimension(name)
    if not asked.members:
        return
    known = reader.texts(asked.members)
    unknown = [code for code in codes if code not in known]
    if not unknown:
        return
    close = get_close_matches(unknown[0], known, n=3)
    more = f", and {len(known) - _TOLD} more" if len(known) > _TOLD else ""
    told = f"Did you mean {' or '.join(close)}? " if close else ""
    raise BadInputError(
        f"The filter {name} is {unknown[0]!r}, which is none of its codes.",
        f"{told}Known: {', '.join(sorted(known)[:_TOLD])}{more}.",
    )

"""Where simulated rows go; what both ends share."""

from typing import Protocol

import pyarrow as pa

#: Tables that the simulator fills, parents before children.
SIMULATED = (
    "townships",
    "queues",
    "seats",
    "agents",
    "agent_queues",
    "shifts",
    "customers",
    "customer_phones",
    "customer_addresses",
    "accounts",
    "subscriptions",
    "consents",
    "customer_groups",
    "customer_group_members",
    "contacts",
    "calls",
    "queue_visits",
    "call_segments",
    "agent_states",
    "tickets",
    "ticket_events",
    "survey_answers",
)


class Sink(Protocol):
    """Takes rows in any order of tables; they exist only once it is finished."""

    def add(self, table: str, rows: pa.Table) -> None:
        """Take rows of one table of the store, in the order of their keys."""

    def finish(self) -> dict[str, int]:
        """Make everything visible; rows per table."""

    def abandon(self) -> None:
        """Forget everything."""

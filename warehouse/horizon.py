"""How far the built marts reach."""

from datetime import UTC, datetime

import duckdb

from core.settings import Settings
from warehouse.export import engine_options, literal

#: The latest thing that was recorded: readers ask "through when are these figures?".
_DATA_THROUGH = """
select max(latest) from (
  select max(started_at) as latest from built.marts.fct_contact
  union all
  select max(created_at) from built.marts.fct_ticket
  union all
  select max(started_at) from built.marts.fct_agent_state
) as events
"""


def data_through(settings: Settings) -> datetime | None:
    """The latest recorded contact, ticket or agent state in the built marts."""
    with duckdb.connect(":memory:", config=engine_options(settings)) as connection:
        connection.execute(f"attach {literal(settings.warehouse_file)} as built (read_only)")
        # As microseconds: a timestamp with a zone would ask for pytz.
        ((microseconds,),) = connection.execute(f"select epoch_us(({_DATA_THROUGH}))").fetchall()
    return None if microseconds is None else datetime.fromtimestamp(microseconds / 1_000_000, UTC)

"""Why a ticket's clock was met or missed, from published marts: every stretch, and how much of it counted."""

from pathlib import Path
from typing import Literal

import pandas as pd

from warehouse.reader import Reader

_QUERY = Path(__file__).with_name("queries") / "breach.sql"


def explain_breach(reader: Reader, ticket_key: int, clock: Literal["first_response", "resolution"]) -> pd.DataFrame:
    """One row a stretch in one state from creation to the clock's end (or, while it runs, to now), in order of time.

    Columns: state, branch_key, started_at, ended_at, wall_seconds, business_seconds (open hours of the policy's
    calendar within the stretch), counted_seconds (of these, what the clock counted), used_seconds (counted up to the
    stretch's end), due_at, target_seconds. Empty if the ticket has no such clock.
    """
    return reader.rows(_QUERY.read_text(encoding="utf-8"), {"ticket_key": ticket_key, "clock": clock})

"""What the models said of a customer stands on what happened afterwards, and a later scoring restates nothing."""

import json
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from core.settings import Settings
from tests.warehouse.centre import MONDAY, TUESDAY, at, busy
from tests.warehouse.lake import Rows, write_load
from tests.warehouse.quick import quick_build

_STANDINGS = """
select fact.{key}, standing.segment, standing.churn_band
from marts.{fact} as fact inner join marts.dim_customer_standing as standing using (customer_standing_key)
where fact.customer_standing_key <> 0
"""
_PROFILES = """
select month.customer_key, month.month_key, profile.segment, profile.churn_band
from marts.fct_customer_month as month inner join marts.dim_customer_profile as profile using (customer_profile_key)
where profile.segment >= 0 or profile.churn_band <> 'unknown'
"""

#: What is looked at here.
MARTS = ("dim_customer_standing", "dim_customer_profile", "fct_customer_month")


def scored(settings: Settings, written: datetime, churn: dict[int, str], segment: dict[int, int]) -> None:
    """A scoring in the lake as `crm score` leaves it (ml/lake.py), written at an instant."""
    load = f"{written.timestamp():.6f}"
    files = []
    for part, labels in (("churn", churn), ("segment", {key: str(number) for key, number in segment.items()})):
        path = settings.lake / "ml_customer_scores" / "day" / f"{load}.{part}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        rows = [
            {"customer_id": key, "model": part, "score": 0.5, "percentile": 50, "label": label, "version": "v1",
             "as_of": written.date(), "reasons": ""}
            for key, label in labels.items()
        ]  # fmt: skip
        pq.write_table(pa.Table.from_pylist(rows), path)
        files.append({"table": "customer_scores", "part": part, "path": str(path.relative_to(settings.lake))})
    entry = settings.lake / "_ml_ledger" / f"{load}.json"
    entry.parent.mkdir(exist_ok=True)
    entry.write_text(json.dumps({"load_id": load, "written_at": written.isoformat(), "files": files}))


def told(settings: Settings, query: str) -> set[tuple[object, ...]]:
    with duckdb.connect(str(settings.warehouse_file), read_only=True) as connection:
        return set(connection.execute(query).fetchall())


def test_a_contact_knows_what_was_said_before_it_and_scoring_restates_nothing(
    tmp_path: Path, reference: dict[str, Rows]
) -> None:
    settings = Settings(home=tmp_path / "home")
    contacts = _STANDINGS.format(key="contact_key", fact="fct_contact")
    tickets = _STANDINGS.format(key="ticket_key", fact="fct_ticket")
    centre = busy(reference)
    # Between customer 1's two calls of Monday morning (08:31, 08:59:45); customer 2's are after it, 3's web form too.
    scored(settings, at(MONDAY, "08:45:00"), {1: "high", 2: "low"}, {1: 4})
    scored(settings, at(MONDAY, "10:30:00"), {3: "medium"}, {3: 0})
    write_load(settings.lake, centre.rows)
    quick_build(settings, *MARTS)
    first = told(settings, contacts)
    assert first == {(2, 4, "high"), (3, -1, "low"), (4, -1, "low"), (8, 0, "medium")}
    assert told(settings, tickets) == {(1, 4, "high"), (2, 0, "medium")}
    assert told(settings, _PROFILES) == set()
    scored(settings, at(TUESDAY, "23:00:00"), {1: "low"}, {1: 7})
    april = at(TUESDAY, "09:00:00") + timedelta(days=30)
    number = centre.contact(april, "answered", city="xian", customer_id=1)
    write_load(settings.lake, {"contacts": centre.rows["contacts"][-1:]})
    assert quick_build(settings, *MARTS).mode == "increment"
    later = told(settings, contacts)
    assert later == first | {(number, 7, "low")}
    assert told(settings, _PROFILES) == {(1, 202604, 7, "low")}

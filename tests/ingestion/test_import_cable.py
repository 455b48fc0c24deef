"""The real complaint file gives every figure of its table, by SQL over the store alone, on both databases."""

import csv
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, text

from core.settings import Settings
from ingestion.imports.mapping_file import load_mapping
from ingestion.imports.run import Summary, import_file

MAPPING = Path(__file__).parents[2] / "ingestion" / "mappings" / "cable_complaints.yml"
FILE = "cable_complaints_half.csv"


def _import(store: Engine, home: Settings, file: Path) -> Summary:
    return import_file(store, home, load_mapping(MAPPING), file)


def _counts(store: Engine, query: str) -> dict[str, int]:
    with store.connect() as connection:
        return {row[0]: row[1] for row in connection.execute(text(query))}


def _scalar(store: Engine, query: str, **values: Any) -> Any:
    with store.connect() as connection:
        return connection.execute(text(query), values).scalar_one()


def test_the_complaint_file_gives_every_figure_of_its_table(store: Engine, home: Settings, real_data: Path) -> None:
    summary = _import(store, home, real_data / FILE)
    assert (summary.read, summary.loaded, summary.rejected) == (1_108, 1_108, 0)
    assert _counts(store, "SELECT state, COUNT(*) FROM tickets GROUP BY state") == {
        "resolved": 502,
        "closed": 361,
        "in_progress": 169,
        "pending": 76,
    }
    assert _counts(store, "SELECT channel_code, COUNT(*) FROM tickets GROUP BY channel_code") == {
        "voice": 555,
        "web_form": 553,
    }
    # Each arose from a contact, on the channel that it came in by.
    joined = (
        "SELECT c.channel_code, COUNT(*) FROM tickets t JOIN contacts c ON c.id = t.contact_id "
        "AND c.channel_code = t.channel_code AND c.started_at = t.created_at GROUP BY c.channel_code"
    )
    assert _counts(store, joined) == {"voice": 555, "web_form": 553}
    assert _scalar(store, "SELECT COUNT(*) FROM contacts") == 1_108
    assert _scalar(store, "SELECT COUNT(*) FROM tickets WHERE unit_id IS NULL OR complaint_type_code IS NULL") == 0


def test_history_says_no_more_than_the_file(store: Engine, home: Settings, real_data: Path) -> None:
    _import(store, home, real_data / FILE)
    events = "SELECT kind, COUNT(*) FROM ticket_events WHERE actor_role = 'foreign' GROUP BY kind"
    assert _counts(store, events) == {"created": 1_108}
    torn = "SELECT COUNT(*) FROM tickets t JOIN ticket_events e ON e.ticket_id = t.id WHERE e.to_state <> t.state"
    assert _scalar(store, torn) == 0
    assert _scalar(store, "SELECT COUNT(*) FROM tickets WHERE closed_at IS NOT NULL") == 0


def test_mixed_dates_are_settled_by_the_other_column(store: Engine, home: Settings, real_data: Path) -> None:
    _import(store, home, real_data / FILE)
    zone = ZoneInfo("America/New_York")
    with (real_data / FILE).open(encoding="latin-1", newline="") as file:
        days = Counter(row["Date_month_year"] for row in csv.DictReader(file))
    with store.connect() as connection:
        found = connection.execute(text("SELECT created_at FROM tickets")).scalars().all()
    instants = [value if isinstance(value, datetime) else datetime.fromisoformat(f"{value}+00:00") for value in found]
    stored = Counter(value.astimezone(zone).strftime("%-d-%b-%y") for value in instants)
    assert stored == days


def test_an_unknown_state_is_refused_with_the_reason(
    store: Engine, home: Settings, real_data: Path, tmp_path: Path
) -> None:
    lines = (real_data / FILE).read_text(encoding="latin-1").splitlines(keepends=True)
    file = tmp_path / "some.csv"
    file.write_text("".join([lines[0], lines[1].replace("Georgia", "Atlantis"), *lines[2:9]]), encoding="latin-1")
    summary = _import(store, home, file)
    assert (summary.loaded, summary.rejected, summary.reasons) == (7, 1, {"unknown city/state": 1})
    row = "SELECT reason || '|' || channel_code || '|' || line FROM import_rejects"
    assert _scalar(store, row) == "unknown city/state: 'Atlantis'|web_form|2"


def test_every_state_of_the_union_has_a_branch() -> None:
    fields = load_mapping(MAPPING).tickets
    assert fields is not None
    assert fields.unit is not None
    states = fields.unit.values or {}
    assert len(states) == 51
    assert len(set(states.values())) == 11


def test_a_second_run_changes_nothing(store: Engine, home: Settings, real_data: Path) -> None:
    _import(store, home, real_data / FILE)
    query = "SELECT MAX(row_version) FROM {}"
    tables = ("contacts", "tickets", "ticket_events", "import_rejects", "service_types")
    before = [_scalar(store, query.format(table)) for table in tables]
    summary = _import(store, home, real_data / FILE)
    assert (summary.loaded, summary.already_there) == (0, 1_108)
    assert [_scalar(store, query.format(table)) for table in tables] == before

"""Compaction changes the lake's files and nothing that is read from them, also where it ends midway."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from cli.maintain import compact_lake
from core.lake import current_loads, new_load_id
from core.scope import PROVINCE
from core.settings import Settings
from core.time import utc_now
from ingestion.compaction import NOTES, compact, finish, remove_former_epochs, settled
from tests.warehouse.lake import Rows, write_load
from tests.warehouse.quick import quick_build
from tests.warehouse.test_loads import contact
from warehouse.publication import current
from warehouse.publish import publish
from warehouse.reader import open_reader

COLUMNS = ("id", "service_type_code", "row_version", "_dlt_load_id")


class Killed(BaseException):
    """The process ends here."""


def load_id(number: int) -> str:
    """Loads of 2026-03: a quarter of an hour apart."""
    return new_load_id(datetime(2026, 3, 5, tzinfo=UTC) + timedelta(minutes=15 * number))


def filled(lake: Path, reference: dict[str, Rows]) -> None:
    """A whole copy, then five loads: a row that changes twice, one that is removed, new ones."""
    write_load(lake, {**reference, "contacts": [contact(n, "query", 1) for n in (1, 2, 3)]},
               load_id=load_id(0))  # fmt: skip
    write_load(lake, {"contacts": [contact(1, "order", 2)]}, load_id=load_id(1))
    write_load(lake, {"contacts": [contact(1, "complaint", 3), contact(4, "query", 3)]}, load_id=load_id(2))
    write_load(lake, {"contacts": [contact(2, "query", 4, deleted_at=utc_now())]}, load_id=load_id(3))
    write_load(lake, {"contacts": [contact(5, "query", 5)]}, load_id=load_id(4))
    write_load(lake, {"contacts": [contact(6, "query", 6)]}, load_id=load_id(5))


def lake_rows(lake: Path, table: str = "contacts") -> Counter[tuple[Any, ...]]:
    """Every row of a table with its load, however the files lie."""
    return Counter(
        tuple(row[name] for name in COLUMNS)
        for path in lake.glob(f"{table}/*/*.parquet")
        for row in pq.ParquetFile(path).read().to_pylist()
    )


def marts(settings: Settings) -> dict[int, str]:
    publication = publish(settings)
    rows = open_reader(publication, PROVINCE).rows("select contact_key, service_type_code from fct_contact order by 1")
    return dict(zip(rows["contact_key"], rows["service_type_code"], strict=True))


def test_marts_are_the_same_after_compaction_by_increment_and_anew(tmp_path: Path, reference: dict[str, Rows]) -> None:
    settings = Settings(home=tmp_path / "home", keep_publications=1)
    filled(settings.lake, reference)
    quick_build(settings)
    expected = {1: "complaint", 3: "query", 4: "query", 5: "query", 6: "query"}
    assert marts(settings) == expected
    # Two more loads that no publication has seen: they keep their files.
    write_load(settings.lake, {"contacts": [contact(3, "order", 8)]})
    before = lake_rows(settings.lake)
    done = compact_lake(settings)
    assert (done.files_before, done.files_after, done.rows) == (4, 1, 5)
    assert lake_rows(settings.lake) == before
    assert compact_lake(settings).groups == 0, "the second time there is nothing to do"

    assert quick_build(settings).mode == "increment"
    assert marts(settings) == expected | {3: "order"}
    assert quick_build(settings, full_refresh=True).mode == "full"
    assert marts(settings) == expected | {3: "order"}
    assert current(settings).row_counts["fct_contact"] == 5


def everything_settled(lake: Path) -> list[Any]:
    return current_loads(lake)[:-1]


@pytest.mark.parametrize("at", ["written", "noted", "placed", "removed"])
def test_a_run_that_ends_midway_loses_nothing_and_the_next_finishes_it(
    at: str, tmp_path: Path, reference: dict[str, Rows]
) -> None:
    lake = tmp_path / "lake"
    filled(lake, {})
    before = lake_rows(lake)

    def die(step: str) -> None:
        if step == at:
            raise Killed

    with pytest.raises(Killed):
        compact(lake, everything_settled(lake), die)
    # Rows may stand twice, with the same load: staging takes one of them. None is gone.
    assert set(lake_rows(lake)) == set(before)
    finish(lake)
    assert lake_rows(lake) == before
    compact(lake, everything_settled(lake))
    assert lake_rows(lake) == before
    assert len(list(lake.glob("contacts/*/*.parquet"))) == 3, "the whole copy, the joined file, the newest load"
    assert not list(lake.glob(f"{NOTES}/*")) and not list(lake.glob("*/*/*.tmp"))


def test_a_joined_file_is_joined_again_with_later_loads(tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    filled(lake, {})
    compact(lake, everything_settled(lake))
    write_load(lake, {"contacts": [contact(7, "query", 9)]}, load_id=load_id(6))
    before = lake_rows(lake)
    assert compact(lake, everything_settled(lake)).files_before == 2
    assert lake_rows(lake) == before


def test_only_what_every_kept_publication_has_seen_is_settled(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    filled(settings.lake, {})
    loads = current_loads(settings.lake)
    ids = [load.load_id for load in loads]
    seen = [datetime.fromisoformat(load.snapshot_at) for load in loads]
    assert settled(settings, ids, None) == []
    assert [load.load_id for load in settled(settings, ids, seen[3])] == ids[:3]
    assert [load.load_id for load in settled(settings, ids[:2], seen[-1])] == ids[:2]


def test_what_a_restore_ended_goes_after_its_days(tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    filled(lake, {})
    write_load(lake, {"contacts": [contact(1, "query", 1)]}, epoch=2)
    assert remove_former_epochs(lake, utc_now() - timedelta(days=1)) == 0
    assert remove_former_epochs(lake, utc_now()) == 6
    assert sum(lake_rows(lake).values()) == 1 and len(current_loads(lake)) == 1

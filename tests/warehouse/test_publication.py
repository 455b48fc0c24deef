"""Publishing: whole or not at all, kept for rollback, and never seen half by a reader."""

import json
import subprocess
import sys
import textwrap
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from core.errors import CrmError, GateFailedError, NotPublishedError
from core.scope import PROVINCE
from core.settings import Settings
from tests.warehouse.centre import MONDAY, at, equipped
from tests.warehouse.lake import Rows
from tests.warehouse.quick import quick_build
from warehouse.build import build
from warehouse.lock import WarehouseBusyError, warehouse_lock
from warehouse.publication import current, kept, restore, roll_back
from warehouse.publish import publish
from warehouse.reader import open_reader


@pytest.fixture
def built(built_centre: Settings) -> Settings:
    return built_centre


class TestRefusals:
    def test_a_build_without_anything_ingested(self, tmp_path: Path) -> None:
        with pytest.raises(CrmError, match="no completed load") as refused:
            build(Settings(home=tmp_path))
        assert "crm ingest" in refused.value.mend

    def test_a_publication_without_a_build(self, tmp_path: Path) -> None:
        with pytest.raises(CrmError, match="no finished build"):
            publish(Settings(home=tmp_path))

    def test_readers_before_the_first_publication(self, tmp_path: Path) -> None:
        with pytest.raises(NotPublishedError, match="Nothing has been published"):
            current(Settings(home=tmp_path))

    def test_a_second_build_or_publication_at_the_same_time(self, built: Settings) -> None:
        with warehouse_lock(built, "build"):
            with pytest.raises(WarehouseBusyError, match=r'in use: .*"build"'):
                publish(built)
            with pytest.raises(WarehouseBusyError):
                build(built)


class TestKeeping:
    def test_rollback_repoints_and_can_be_undone(self, built: Settings) -> None:
        first, second = publish(built), publish(built)
        assert current(built).run_id == second.run_id
        assert roll_back(built).run_id == first.run_id
        assert current(built).file == first.file
        with pytest.raises(NotPublishedError, match="no publication to go back to"):
            roll_back(built)
        assert restore(built).run_id == second.run_id == current(built).run_id

    def test_three_are_kept_and_the_current_one_always(self, built: Settings) -> None:
        runs = [publish(built).run_id for _ in range(4)]
        assert [each.run_id for each in kept(built)] == runs[1:]
        roll_back(built)
        roll_back(built)
        assert current(built).run_id == runs[1]
        newest = publish(built).run_id
        assert current(built).run_id == newest
        # Of those rolled away from the older one went; the good one that readers saw last stays to go back to.
        files = {path.name for path in built.published.glob("*.duckdb")}
        assert files == {f"marts_{run}.duckdb" for run in [runs[1], runs[3], newest]}

    def test_a_rollback_never_leads_to_a_run_that_was_rolled_away_from(self, built: Settings) -> None:
        good, bad = publish(built).run_id, publish(built).run_id
        assert roll_back(built).run_id == good
        mended = publish(built).run_id
        assert [each.run_id for each in kept(built)] == [good, bad, mended]
        assert roll_back(built).run_id == good
        with pytest.raises(NotPublishedError, match="no publication to go back to"):
            roll_back(built)
        assert restore(built).run_id == mended
        assert roll_back(built).run_id == good

    def test_the_pointer_tells_the_run_its_rows_and_its_gates(self, built: Settings) -> None:
        publication = publish(built)
        content = json.loads((built.published / "CURRENT.json").read_text(encoding="utf-8"))
        assert content["run_id"] == publication.run_id
        assert content["row_counts"]["fct_contact"] == 12
        assert all(gate["holds"] for gate in content["gates"]) and len(content["gates"]) > 20
        assert (
            content["data_through"]
            == at(MONDAY + timedelta(days=1), "11:30:00").astimezone(publication.published_at.tzinfo).isoformat()
        )


class TestLaws:
    def test_a_law_that_does_not_hold_stops_the_build_and_publishing_after_it(
        self, lake_home: Callable[..., Settings], reference: dict[str, Rows]
    ) -> None:
        centre = equipped(reference)
        centre.state(1, 1, "available", MONDAY, "09:00:00", "09:10:00")
        centre.state(1, 1, "pause", MONDAY, "09:09:00", "09:20:00", pause_reason="rest")
        settings = lake_home(centre.rows)
        with pytest.raises(GateFailedError) as refused:
            quick_build(settings, "int_contact_centre__agent_days_measured")
        assert "agent_in_one_state_at_a_time" in str(refused.value)
        assert "agent_key=1, date_key=20260302, overlap_count=1" in str(refused.value)
        with pytest.raises(CrmError, match="no finished build"):
            publish(settings)


_LIMITED = textwrap.dedent("""
    import resource, sys
    from pathlib import Path
    from core.settings import Settings
    from warehouse.publish import PublishFailedError, publish
    import warehouse.gates

    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
    try:
        publish(Settings(home=Path(sys.argv[1])))
    except PublishFailedError as error:
        print(error)
        sys.exit(7)
""")


def test_a_full_disk_leaves_the_last_publication_and_no_remains(built: Settings) -> None:
    before = publish(built)
    listed = {path.name for path in built.published.iterdir()}
    ended = subprocess.run(
        [sys.executable, "-c", _LIMITED, str(built.home)], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 7, ended.stdout + ended.stderr
    assert "could not be written" in ended.stdout and "Make room" in ended.stdout
    assert {path.name for path in built.published.iterdir()} == listed
    assert current(built) == before
    assert open_reader(current(built), PROVINCE).rows("select count(*) as n from fct_contact")["n"].item() == 12

"""Gates: bad rows are set aside with reasons, wrong tables hold everything, and a person may let a held run pass."""

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select

from cli.main import crm
from core.database import make_engine, session_scope
from core.errors import BadInputError, CrmError, GateFailedError
from core.lake import Load
from core.scope import PROVINCE
from core.settings import Settings, get_settings
from crm_api.audit.models import AuditEntry
from crm_api.base import captured_tables
from crm_api.identity.service import create_demo_users, demo_password
from tests.warehouse.centre import MONDAY, at, busy, equipped
from tests.warehouse.lake import Rows, write_load
from tests.warehouse.quick import quick_build
from warehouse.build import build, stamp_file
from warehouse.comparisons import SHIFTED, delivered_ratio, ratio_to_usual, stability
from warehouse.gate_frames import columns_of, gate_connection
from warehouse.gate_history import held, history, pages_folder
from warehouse.lake_gate import inspect
from warehouse.publication import Publication, current
from warehouse.publish import publish, publish_released
from warehouse.quarantine import judged_loads, rows_set_aside
from warehouse.reader import open_reader
from warehouse.suites import lake_suites, mart_suites


class TestSuites:
    def test_every_table_of_the_lake_has_one(self) -> None:
        wanted = {table.name for table in captured_tables()} | {"personal_identifiers"}
        assert set(lake_suites()) == wanted

    def test_every_mart_has_one_that_names_its_columns(self, published_centre: tuple[Settings, Publication]) -> None:
        with gate_connection(published_centre[0]) as connection:
            built = columns_of(connection)
        declared = {mart: dict(suite.columns) for mart, suite in mart_suites().items()}
        # A new mart or column is entered in warehouse/suites/marts_*.yml.
        assert declared == built

    def test_each_publication_tells_what_was_checked(self, published_centre: tuple[Settings, Publication]) -> None:
        settings, publication = published_centre
        suites = {gate["suite"] for gate in publication.gates}
        assert {f"marts.{mart}" for mart in mart_suites()} <= suites
        assert {"marts_sums", "marts_columns_declared", "marts_by_day", "marts_values"} <= suites
        for language in ("zh-CN", "en"):
            page = pages_folder(settings) / f"{publication.run_id}.{language}.html"
            assert "marts.fct_contact" in page.read_text(encoding="utf-8")
            assert page.name in (pages_folder(settings) / f"index.{language}.html").read_text(encoding="utf-8")


def _contacts(settings: Settings) -> int:
    return int(open_reader(current(settings), PROVINCE).rows("select count(*) as n from fct_contact")["n"].item())


class TestSettingAside:
    def test_a_bad_row_waits_with_its_reason_until_it_is_mended_and_the_rest_goes_on(
        self, lake_home: Callable[..., Settings], reference: dict[str, Rows]
    ) -> None:
        centre = busy(reference)
        wrong = centre.contact(at(MONDAY, "09:00:00"), "answered", ended_at=at(MONDAY, "08:00:00"))
        centre.ticket(at(MONDAY, "09:00:00"), closed_at=at(MONDAY, "08:00:00"), code="T-late")
        settings = lake_home(centre.rows)
        run = inspect(settings)
        assert run is not None and run.verdict == "warned" and run.set_aside == 2
        ((contact, ticket)) = rows_set_aside(settings)
        assert (contact.table_name, contact.row_key, contact.reasons) == ("contacts", str(wrong), "ended_before_start")
        assert ticket.reasons == "ended_before_creation" and '"code": "T-late"' in ticket.row
        assert inspect(settings) is None
        quick_build(settings)
        publish(settings)
        assert _contacts(settings) == 12
        mended = next(row for row in centre.rows["contacts"] if row["id"] == wrong) | {
            "ended_at": at(MONDAY, "09:05:00"), "row_version": 2
        }  # fmt: skip
        write_load(settings.lake, {"contacts": [mended]})
        again = inspect(settings)
        assert again is not None and again.verdict == "passed"
        quick_build(settings)
        publish(settings)
        assert _contacts(settings) == 13

    def test_a_wrong_table_is_held_and_can_be_released(
        self, lake_home: Callable[..., Settings], reference: dict[str, Rows]
    ) -> None:
        centre = equipped(reference)
        for minute in range(12):
            centre.contact(at(MONDAY, f"09:{minute:02}:00"), "answered", ended_at=at(MONDAY, "08:00:00"))
        settings = lake_home(centre.rows)
        with pytest.raises(GateFailedError) as refused:
            inspect(settings)
        told = "lake.contacts: expect_values_to_be_between(bad_beyond_setting_aside) is broken: 12, not at most 0"
        assert told in str(refused.value)
        assert rows_set_aside(settings) == []
        with pytest.raises(GateFailedError, match="held by a gate"):
            build(settings)
        waiting = held(settings)
        assert waiting is not None and waiting.run_id in refused.value.mend
        assert publish_released(waiting.run_id, by="wang", reason="the clocks were changed", settings=settings) is None
        assert judged_loads(settings.lake) == set(waiting.loads) and held(settings) is None

    def test_a_file_with_another_column_type_is_held(
        self, lake_home: Callable[..., Settings], reference: dict[str, Rows]
    ) -> None:
        settings = lake_home(equipped(reference).rows)
        (file,) = (settings.lake / "channels").glob("*/*.parquet")
        with duckdb.connect() as connection:
            rows = f"select * replace (cast(sort_order as varchar) as sort_order) from '{file}'"
            connection.execute(f"copy ({rows}) to '{file}.new' (format parquet)")
        Path(f"{file}.new").replace(file)
        with pytest.raises(GateFailedError, match=r"lake.channels: .*columns_changed"):
            inspect(settings)


@pytest.fixture
def at_a_desk(built_centre: Settings, sqlite_template: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """A copy of the hand-made centre, built, with a store of the demo's people."""
    monkeypatch.setenv("CRM_HOME", str(built_centre.home))
    get_settings.cache_clear()
    settings = get_settings()
    (built_centre.home / "store").mkdir()
    shutil.copy(sqlite_template, built_centre.home / "store" / "crm.sqlite")
    engine = make_engine(settings)
    with session_scope(engine) as session:
        create_demo_users(session)
    engine.dispose()
    yield settings
    get_settings.cache_clear()


def _break(settings: Settings) -> None:
    with duckdb.connect(str(settings.warehouse_file)) as connection:
        connection.execute("update marts.fct_ticket set code = '13912345678' where ticket_key = 1")
        connection.execute("update marts.kpi_day set contacts = contacts + 1 where date_key = 20260302")


def _release(run_id: str, username: str, reason: str = "known and right") -> Result:
    return CliRunner().invoke(
        crm,
        ["publish", "--release", run_id, "--reason", reason, "--by", username],
        input=demo_password(username) + "\n",
    )


class TestHeldPublications:
    def test_it_keeps_the_last_good_marts_says_why_and_is_released_by_a_permitted_person(
        self, at_a_desk: Settings
    ) -> None:
        good = publish(at_a_desk)
        _break(at_a_desk)
        with pytest.raises(GateFailedError) as refused:
            publish(at_a_desk)
        assert "value=13912345678, table=fct_ticket, column=code" in str(refused.value)
        assert "marts_sums: expect_column_values_to_be_between(difference) is broken" in str(refused.value)
        assert current(at_a_desk).run_id == good.run_id
        waiting = held(at_a_desk)
        assert waiting is not None and f"--release {waiting.run_id}" in refused.value.mend

        wrong = _release(waiting.run_id, "agent")
        assert isinstance(wrong.exception, CrmError) and "may not release" in str(wrong.exception)
        assert current(at_a_desk).run_id == good.run_id
        done = _release(waiting.run_id, "analyst")
        assert done.exit_code == 0, done.output
        assert current(at_a_desk).run_id != good.run_id and held(at_a_desk) is None
        broken = [gate for gate in current(at_a_desk).gates if not gate["holds"]]
        assert broken and {gate["released_by"] for gate in broken} == {"analyst"}
        page = (pages_folder(at_a_desk) / "index.en.html").read_text(encoding="utf-8")
        assert "Released by analyst" in page and "known and right" in page

        engine = make_engine(at_a_desk)
        with session_scope(engine) as session:
            lines = session.scalars(select(AuditEntry).where(AuditEntry.object_type == "gate_run")).all()
            told = [(line.action, line.username, line.object_id, line.reason) for line in lines]
        engine.dispose()
        assert told == [
            ("publication.release_refused", "agent", waiting.run_id, "known and right"),
            ("publication.released", "analyst", waiting.run_id, "known and right"),
        ]
        with pytest.raises(BadInputError, match="released, not held"):
            publish_released(waiting.run_id, by="analyst", reason="again", settings=at_a_desk)

    def test_a_release_is_of_what_was_gated(self, at_a_desk: Settings) -> None:
        _break(at_a_desk)
        with pytest.raises(GateFailedError):
            publish(at_a_desk)
        (run,) = history(at_a_desk, 1)
        # What another build leaves behind.
        stamp = stamp_file(at_a_desk)
        stamp.write_text(json.dumps(json.loads(stamp.read_text(encoding="utf-8")) | {"build": "another"}), "utf-8")
        with pytest.raises(BadInputError, match="built anew since"):
            publish_released(run.run_id, by="analyst", reason="late", settings=at_a_desk)

    @pytest.mark.parametrize(("arguments", "told"), [
        (["--release", "x", "--by", "analyst"], "needs a reason"),
        (["--release", "x", "--reason", "y"], "needs a person"),
        (["--release", "x", "--rollback"], "contradict"),
        (["--release", "x", "--reason", "y", "--by", "analyst"], "know no run 'x'"),
    ])  # fmt: skip
    def test_what_is_missing_is_named(self, at_a_desk: Settings, arguments: list[str], told: str) -> None:
        result = CliRunner().invoke(crm, ["publish", *arguments], input="\n")
        assert isinstance(result.exception, BadInputError) and told in str(result.exception)


class TestComparisons:
    @staticmethod
    def _loads(counts: dict[int, int], today: int) -> list[Load]:
        """Each Monday at 10:00 a load; weeks ago → rows."""
        first = Load("1", 1, "s", 0, at(MONDAY, "10:00:00").isoformat(), "", {"contacts": 10**6})
        days = {weeks: MONDAY - timedelta(weeks=weeks) for weeks in counts} | {0: MONDAY}
        return [first, *(
            replace(first, load_id=str(weeks + 2), follows="1", rows={"contacts": (counts | {0: today})[weeks]},
                    snapshot_at=datetime.combine(day, at(MONDAY, "10:00:00").timetz()).isoformat())
            for weeks, day in days.items()
        )]  # fmt: skip

    def test_rows_of_a_day_are_held_against_the_same_weekdays(self) -> None:
        assert delivered_ratio(self._loads({1: 100, 2: 110, 3: 90}, 400), "contacts") == 4
        assert delivered_ratio(self._loads({1: 100, 2: 110, 3: 90}, 0), "contacts") == 0
        # Two weeks, or a handful of rows, say nothing.
        assert delivered_ratio(self._loads({1: 100, 2: 110}, 400), "contacts") is None
        assert ratio_to_usual(9, [3, 3, 3]) is None

    def test_a_mix_that_moved_is_told_from_chance(self) -> None:
        usual = {"voice": 7000, "web_form": 2000, "sms": 1000}
        assert (stability({"voice": 340, "web_form": 105, "sms": 55}, usual) or 0) < 0.01
        assert (stability({"voice": 100, "web_form": 100, "sms": 300}, usual) or 0) > SHIFTED
        assert stability({"voice": 3}, usual) is None

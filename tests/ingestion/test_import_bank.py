"""The real call file gives every figure of its table, by SQL over the store alone, on both databases."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from core.settings import Settings
from ingestion.imports.mapping_file import load_mapping
from ingestion.imports.run import Summary, import_file

MAPPING = Path(__file__).parents[2] / "ingestion" / "mappings" / "bank_calls.yml"
T, S = 20, 5

_VISITS = """
WITH visits AS (
  SELECT c.service_type_code AS type, v.exit_class, {seconds} AS wait
  FROM queue_visits v JOIN contacts c ON c.id = v.contact_id WHERE c.source = 'bank'
)
SELECT type, exit_class, wait FROM visits
"""
_SECONDS = {
    "sqlite": "CAST(strftime('%s', v.exited_at) - strftime('%s', v.entered_at) AS INTEGER)",
    "postgresql": "CAST(EXTRACT(EPOCH FROM v.exited_at - v.entered_at) AS INTEGER)",
}
_TALK = {
    "sqlite": "SELECT SUM(strftime('%s', ended_at) - strftime('%s', started_at)) FROM call_segments WHERE kind='talk'",
    "postgresql": "SELECT SUM(EXTRACT(EPOCH FROM ended_at - started_at)) FROM call_segments WHERE kind='talk'",
}


def _import(store: Engine, home: Settings, real_data: Path) -> Summary:
    return import_file(store, home, load_mapping(MAPPING), real_data / "bank_calls_august_1_14.csv")


def _scalar(store: Engine, query: str) -> Any:
    with store.connect() as connection:
        return connection.execute(text(query)).scalar_one()


def _visits(store: Engine) -> list[tuple[str, str, int]]:
    with store.connect() as connection:
        rows = connection.execute(text(_VISITS.format(seconds=_SECONDS[store.dialect.name]))).all()
    return [(row[0], row[1], row[2]) for row in rows]


def _levels(visits: list[tuple[str, str, int]]) -> dict[str, float]:
    answered = [wait for _, exit_class, wait in visits if exit_class == "answered"]
    abandoned = [wait for _, exit_class, wait in visits if exit_class == "abandoned"]
    fast, gone = sum(wait <= T for wait in answered), sum(wait <= T for wait in abandoned)
    short = sum(wait <= S for wait in abandoned)
    offered = len(visits)
    return {
        "offered": offered,
        "answered": len(answered),
        "abandoned": len(abandoned),
        "short": short,
        "handled_only": fast / len(answered),
        "negative": fast / offered,
        "positive": (fast + gone) / offered,
        "ignore": fast / (offered - gone),
        "asa": sum(answered) / len(answered),
        "abandon_rate": (len(abandoned) - short) / offered,
    }


def test_the_bank_file_gives_every_figure_of_its_table(store: Engine, home: Settings, real_data: Path) -> None:
    summary = _import(store, home, real_data)
    assert (summary.read, summary.loaded, summary.rejected) == (22_002, 21_810, 192)
    assert summary.reasons == {"phantom: not a real call": 192}

    assert _scalar(store, "SELECT COUNT(*) FROM contacts") == 21_810
    assert _scalar(store, "SELECT COUNT(*) FROM contacts WHERE outcome = 'answered'") == 14_565
    assert _scalar(store, "SELECT COUNT(*) FROM contacts WHERE outcome = 'abandoned'") == 5_449
    assert _scalar(store, "SELECT COUNT(*) FROM contacts WHERE outcome = 'ended_in_ivr'") == 1_796
    assert _scalar(store, "SELECT COUNT(DISTINCT agent_id) FROM queue_visits") == 22
    assert _scalar(store, "SELECT COUNT(*) FROM import_rejects WHERE reason LIKE 'phantom%'") == 192

    figures = _levels(_visits(store))
    assert (figures["offered"], figures["answered"], figures["abandoned"]) == (20_014, 14_565, 5_449)
    assert figures["short"] == 162
    assert figures["handled_only"] == pytest.approx(0.304497, abs=5e-7)
    assert figures["negative"] == pytest.approx(0.221595, abs=5e-7)
    assert figures["positive"] == pytest.approx(0.292295, abs=5e-7)
    assert figures["ignore"] == pytest.approx(0.238454, abs=5e-7)
    assert figures["asa"] == pytest.approx(119.2562, abs=5e-5)
    assert figures["abandon_rate"] == pytest.approx(0.264165, abs=5e-7)
    talk = float(_scalar(store, _TALK[store.dialect.name]))
    assert talk / 14_565 == pytest.approx(189.0496, abs=5e-5)


@pytest.mark.parametrize(
    ("kind", "contacts", "answered", "negative", "asa"),
    [
        ("PS", 14_170, 10_154, 0.231666, 108.0141),
        ("NW", 3_609, 1_600, 0.136461, 167.0650),
        ("IN", 1_809, 884, 0.105775, 222.7828),
        ("NE", 1_622, 1_414, 0.250000, 112.7419),
        ("TT", 508, 466, 0.792079, 13.0536),
        ("PE", 92, 47, 0.113924, 222.2979),
    ],
)
def test_each_type_of_the_bank_has_its_figures(
    bank: Engine, kind: str, contacts: int, answered: int, negative: float, asa: float
) -> None:
    figures = _levels([visit for visit in _visits(bank) if visit[0] == kind])
    count = _scalar(bank, f"SELECT COUNT(*) FROM contacts WHERE service_type_code = '{kind}'")
    assert (count, figures["answered"]) == (contacts, answered)
    assert figures["negative"] == pytest.approx(negative, abs=5e-7)
    assert figures["asa"] == pytest.approx(asa, abs=5e-5)


@pytest.fixture(scope="module")
def bank(sqlite_template: Path, real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """A store with the bank's calls, to be read only."""
    import shutil

    from core.database import make_engine

    folder = tmp_path_factory.mktemp("bank")
    shutil.copy(sqlite_template, folder / "crm.sqlite")
    engine = make_engine(url=f"sqlite:///{folder / 'crm.sqlite'}")
    _import(engine, Settings(home=folder), real_data)
    return engine


def test_recorded_oddities_are_mended_as_documented(bank: Engine) -> None:
    flagged = "SELECT COUNT(*) FROM contacts WHERE data_flag = 'ivr_time_negative'"
    assert _scalar(bank, flagged) == 11  # the twelfth is a phantom
    nothing = (
        "SELECT COUNT(*) FROM calls k JOIN contacts c ON c.id = k.contact_id "
        "WHERE c.data_flag = 'ivr_time_negative' AND k.ivr_seconds <> 0"
    )
    assert _scalar(bank, nothing) == 0
    unknown_agent = "SELECT COUNT(*) FROM queue_visits WHERE exit_class = 'answered' AND agent_id IS NULL"
    assert _scalar(bank, unknown_agent) == 150
    assert _scalar(bank, "SELECT COUNT(*) FROM customers WHERE code IN ('bank:0', 'bank:')") == 0
    priority = (
        "SELECT COUNT(*) FROM queue_visits v JOIN queues q ON q.id = v.queue_id "
        "WHERE q.is_priority <> (q.code = 'bank_priority')"
    )
    assert _scalar(bank, priority) == 0


def test_times_past_midnight_and_in_summer_are_the_banks_own(bank: Engine) -> None:
    # 0:10:10 of 1 August in Jerusalem's summer time (+3).
    first = "SELECT started_at FROM contacts WHERE external_id = 'bank:AA0204|43678|2010-08-01|0:10:10'"
    assert str(_scalar(bank, first)).startswith("2010-07-31 21:10:10")
    before_start = (
        "SELECT COUNT(*) FROM queue_visits v JOIN contacts c ON c.id = v.contact_id WHERE v.entered_at < c.started_at"
    )
    assert _scalar(bank, before_start) == 0
    assert max(wait for _, _, wait in _visits(bank)) < 3_600


def test_a_second_run_changes_nothing(store: Engine, home: Settings, real_data: Path) -> None:
    from crm_api.base import captured_tables

    _import(store, home, real_data)

    def versions() -> dict[str, Any]:
        with store.connect() as connection:
            return {
                table.name: tuple(
                    connection.execute(
                        text(f"SELECT COUNT(*), MAX(row_version), SUM(row_version) FROM {table.name}")
                    ).one()
                )
                for table in captured_tables()
            }

    before = versions()
    rejected = {path.name: path.read_bytes() for path in home.rejected.iterdir()}
    summary = _import(store, home, real_data)
    assert (summary.loaded, summary.already_there, summary.rejected) == (0, 21_810, 192)
    assert versions() == before
    assert {path.name: path.read_bytes() for path in home.rejected.iterdir()} == rejected

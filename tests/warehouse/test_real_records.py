"""The two real files, through import, lake, marts and publication, to the figures `crm kpi` prints."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from cli.main import crm
from core.settings import get_settings
from tests.warehouse.test_figures import EXPECTED as EVERY_KPI

MAPPINGS = Path(__file__).parents[2] / "ingestion" / "mappings"

#: The tables of the records' README (T = 20 s, short abandon up to 5 s).
WHOLE = {
    "contacts": 21_810,
    "rejected": 192,
    "answered": 14_565,
    "abandoned": 5_449,
    "ended_in_ivr": 1_796,
    "offered": 20_014,
    "short_abandoned": 162,
    "sl_handled_only": 0.304497,
    "sl_negative": 0.221595,
    "sl_positive": 0.292295,
    "sl_ignore": 0.238454,
    "asa_seconds": 119.2562,
    "mean_talk_seconds": 189.0496,
    "abandon_rate": 0.264165,
    "agents_seen": 22,
}
BY_TYPE = {
    "PS": (14_170, 10_154, 0.231666, 108.0141),
    "NW": (3_609, 1_600, 0.136461, 167.0650),
    "IN": (1_809, 884, 0.105775, 222.7828),
    "NE": (1_622, 1_414, 0.250000, 112.7419),
    "TT": (508, 466, 0.792079, 13.0536),
    "PE": (92, 47, 0.113924, 222.2979),
}


def rounded(value: float, like: float) -> float:
    """As the README gives it: seconds to four decimals, shares to six."""
    return round(value, 4 if like > 1 else 6) if isinstance(like, float) else value


@pytest.fixture(scope="module")
def run(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A home in which both files were imported and published; runs `crm` in it."""
    home = tmp_path_factory.mktemp("records") / "home"
    patch = pytest.MonkeyPatch()
    patch.setenv("CRM_HOME", str(home))
    patch.delenv("CRM_DATABASE_URL", raising=False)
    get_settings.cache_clear()

    def call(*arguments: str) -> str:
        result = CliRunner().invoke(crm, list(arguments), catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.stdout

    call("init")
    call(
        "import", "calls", str(real_data / "bank_calls_august_1_14.csv"), "--mapping", str(MAPPINGS / "bank_calls.yml")
    )
    call("import", "tickets", str(real_data / "cable_complaints_half.csv"), "--mapping",
         str(MAPPINGS / "cable_complaints.yml"))  # fmt: skip
    call("pipeline")
    yield call
    patch.undo()
    get_settings.cache_clear()


def test_the_bank_s_calls_give_the_table_s_figures(run: Callable[..., str]) -> None:
    (found,) = json.loads(run("kpi", "--filter", "source=bank", "--json"))
    assert {code: rounded(found[code], value) for code, value in WHOLE.items()} == WHOLE
    assert set(EVERY_KPI) == set(found)


def test_the_bank_s_calls_by_type(run: Callable[..., str]) -> None:
    groups = json.loads(run("kpi", "--by", "type", "--filter", "source=bank", "--json"))
    keys = ("contacts", "answered", "sl_negative", "asa_seconds")
    found = {
        group["type"]: tuple(rounded(group[key], like) for key, like in zip(keys, BY_TYPE[group["type"]], strict=True))
        for group in groups
    }
    assert found == BY_TYPE


def test_the_cable_operator_s_complaints(run: Callable[..., str]) -> None:
    (found,) = json.loads(run("kpi", "--filter", "source=cable", "--json"))
    assert (found["tickets"], found["complaints"], found["contacts"]) == (1_108, 1_108, 1_108)
    channels = {group["channel"]: group["complaints"] for group in json.loads(
        run("kpi", "--by", "channel", "--filter", "source=cable", "--json"))}  # fmt: skip
    assert channels == {"voice": 555, "web_form": 553}


def test_both_together_are_their_sum(run: Callable[..., str]) -> None:
    (found,) = json.loads(run("kpi", "--json"))
    assert (found["contacts"], found["rejected"], found["tickets"]) == (21_810 + 1_108, 192, 1_108)


def test_a_second_pipeline_over_the_same_store_gives_the_same_figures(run: Callable[..., str]) -> None:
    before = run("kpi", "--by", "type,day", "--json")
    run("pipeline")
    assert run("kpi", "--by", "type,day", "--json") == before

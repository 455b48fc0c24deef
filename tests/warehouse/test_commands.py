"""`crm kpi` and `crm publish` as a person meets them."""

import json
from collections.abc import Callable

import pytest
from click.testing import CliRunner

from cli.main import crm
from core.errors import BadInputError, CrmError
from core.settings import Settings, get_settings
from warehouse.dimensions import ALIASES, DIMENSIONS
from warehouse.publication import Publication


@pytest.fixture
def run(published_centre: tuple[Settings, Publication], monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    monkeypatch.setenv("CRM_HOME", str(published_centre[0].home))
    get_settings.cache_clear()

    def call(*arguments: str) -> str:
        return CliRunner().invoke(crm, list(arguments), catch_exceptions=False).stdout

    yield call
    get_settings.cache_clear()


def test_json_holds_one_object_a_group_with_numbers_and_nulls(run: Callable[..., str]) -> None:
    groups = json.loads(run("kpi", "--by", "day,city", "--filter", "city=xian,baoji", "--json"))
    first = groups[0]
    assert (first["day"], first["city"], first["contacts"], first["sl_negative"]) == ("2026-03-02", "baoji", 3, 0.0)
    assert first["asa_seconds"] is None and isinstance(first["contacts"], int)


def test_the_table_reads_in_the_language_set(run: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert "服务水平" in run("kpi") and "44.44 %" in run("kpi")
    monkeypatch.setenv("CRM_LANGUAGE", "en")
    get_settings.cache_clear()
    assert "Service level" in run("kpi", "--by", "channel")


def test_many_groups_stand_in_lines_with_the_headline_figures(run: Callable[..., str]) -> None:
    shown = run("kpi", "--by", "day,city,type").splitlines()
    assert any(line.split()[:1] == ["2026-03-02"] and "baoji" in line for line in shown)
    assert "放弃率" in shown[0] and "IVR" not in shown[0]


def test_a_period_without_data_is_said_in_words_with_the_days_that_there_are(
    run: Callable[..., str],
) -> None:
    for more in ([], ["--by", "day"]):
        result = CliRunner().invoke(crm, ["kpi", *more, "--from", "2020-01-01", "--to", "2020-01-02"])
        assert result.stdout == ""
        assert "No figures in this period and selection; the data hold 2026-03-02 to 2026-03-03." in result.stderr
    assert json.loads(run("kpi", "--from", "2020-01-01", "--to", "2020-01-02", "--json")) == []


def test_the_help_lists_every_dimension() -> None:
    shown = CliRunner().invoke(crm, ["kpi", "--help"]).stdout
    assert [name for name in [*DIMENSIONS, *ALIASES] if name not in shown] == []


def test_a_definition_is_printed(run: Callable[..., str]) -> None:
    assert "answered_within_target / nullif(offered, 0)" in run("kpi", "--explain", "sl_negative")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--by", "colour"], "no dimension 'colour'"),
        (["--filter", "channel=zzz"], "The filter channel is 'zzz', which is none of its codes"),
        (["--filter", "channel"], "--filter is 'channel'"),
        (["--kpi", "happiness"], "no KPI 'happiness'"),
        (["--explain", "happiness"], "no KPI 'happiness'"),
    ],
)
def test_what_is_not_known_is_named(run: Callable[..., str], arguments: list[str], told: str) -> None:
    with pytest.raises(BadInputError, match=told):
        run("kpi", *arguments)


def test_contradicting_options_are_refused(run: Callable[..., str]) -> None:
    with pytest.raises(CrmError, match="contradict"):
        run("publish", "--rollback", "--restore")

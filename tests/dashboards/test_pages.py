"""Every page in both languages: with data, with none, and with a URL that makes no sense."""

from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from core.i18n import LANGUAGES, Language, texts
from core.settings import Settings
from tests.dashboards.marts import publish_again, publish_marts

APP = Path(__file__).parents[2] / "dashboards" / "app.py"
#: Each page with the least number of charts that it draws from these marts.
CHARTS = {"overview": 3, "access_channel": 3, "complaint_type": 3, "seat_utilisation": 3, "queue_performance": 3,
          "closed_loop": 5, "service_quality": 4, "resource_use": 3, "data_quality": 1}  # fmt: skip
PAGES = tuple(CHARTS)


def open_page(page: str, **params: str) -> Any:
    """The page as a browser would get it with these parameters in the URL."""
    app = AppTest.from_file(str(APP), default_timeout=60)
    for name, value in params.items():
        app.query_params[name] = value
    if page != "overview":
        # As the browser asks for it: AppTest's own switch_page needs a run of the first page before.
        app._page_hash = calc_hash(page.replace("_", "-"))
    app.run()
    assert not app.exception, app.exception[0].stack_trace
    return app


def url(app: Any) -> dict[str, str]:
    """The URL's parameters; AppTest gives those that it was given as lists, those that the page wrote as texts."""
    return {name: value if isinstance(value, str) else value[0] for name, value in app.query_params.items()}


def charts(app: Any) -> list[Any]:
    """The charts of a page."""
    return list(app.get("vega_lite_chart"))


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_shows_its_figures(page: str, language: Language) -> None:
    app, text = open_page(page, lang=language), texts("dashboards", language)
    assert app.title[0].value == text(f"page.{page}")
    assert text("frame.data", through="2026-11-08 22:00", run="first") in app.caption[0].value
    assert len(app.metric) >= 4
    assert all(metric.value != "–" for metric in app.metric)
    assert len(charts(app)) >= CHARTS[page]
    assert not app.info and not app.warning
    assert len(app.get("download_button")) >= len(charts(app)), "every chart has its table to download"


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize("page", PAGES)
def test_a_page_of_a_period_without_data_says_so(page: str) -> None:
    app = open_page(page, lang="en", period="custom", **{"from": "2020-01-01", "to": "2020-01-07"})
    assert texts("dashboards", "en")("empty.period") in [info.value for info in app.info]
    assert charts(app) == []


def test_marts_without_figures_are_told(home: Settings) -> None:
    publish_marts(home, "empty", is_empty=True)
    for language in LANGUAGES:
        app = open_page("overview", lang=language)
        assert app.info[0].value == texts("dashboards", language)("empty.no_figures", run="empty")


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_published_is_told(language: Language) -> None:
    app = open_page("overview", lang=language)
    assert app.info[0].value == texts("dashboards", language)("empty.not_published")


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_past_that_the_data_hold_in_part_gives_no_change_and_says_why(language: Language) -> None:
    """The data begin on 31 August: of the 40 days before the last 40 they hold 30."""
    text = texts("dashboards", language)
    days = {"period": "custom", "from": "2026-09-30", "to": "2026-11-08"}
    app = open_page("overview", lang=language, **days)
    assert [metric.delta for metric in app.metric] == [""] * len(app.metric)
    said = [each.value for each in app.caption]
    assert text("frame.not_covered", since="2026-08-31") in said[0]
    dashes = [each for each in said if text("tile.no_before", dash="–", since="2026-08-31") in each]
    assert len(dashes) == len(app.metric)
    missing = [text(f"comparison.no_{each}", since="2026-08-31") for each in ("previous", "year")]
    assert "  \n".join(missing) in said
    (table,) = [each.value for each in app.dataframe if "change_year" in each.value]
    assert set(table["change_previous"]) == set(table["change_year"]) == {"–"}
    whole = open_page("overview", lang=language)
    assert all(metric.delta for metric in whole.metric) and text("frame.not_covered", since="") not in said


@pytest.mark.usefixtures("published")
def test_a_url_that_makes_no_sense_is_told_and_the_page_is_there() -> None:
    params = {"city": "<b>atlantis</b>", "period": "custom", "from": "2026-02-31", "to": "x", "compare": "?"}
    app = open_page("overview", lang="en", **params)
    assert [warning.value.split(" ")[0] for warning in app.warning] == ["The", "The", "There"]
    assert "<" not in "".join(warning.value for warning in app.warning)
    assert len(app.metric) == 8


@pytest.mark.usefixtures("published")
def test_filters_write_the_url_and_the_url_sets_the_filters() -> None:
    app = open_page("overview", lang="en", city="yulin", period="last_7_days", compare="none")
    assert app.selectbox(key="filter_city").value == "yulin"
    assert app.selectbox(key="filter_period").value == "last_7_days"
    app.selectbox(key="filter_city").select("xian").run()
    app.selectbox(key="filter_compare").select("year").run()
    assert url(app) == {"lang": "en", "period": "last_7_days", "compare": "year", "city": "xian"}
    assert not app.exception


@pytest.mark.usefixtures("published")
def test_choosing_days_offers_two_dates_that_stay_in_order() -> None:
    app = open_page("overview", lang="en", period="last_7_days")
    app.selectbox(key="filter_period").select("custom").run()
    first, last = app.date_input(key="filter_from").value, app.date_input(key="filter_to").value
    assert (last - first).days == 6
    app.date_input(key="filter_to").set_value(first.replace(day=1)).run()
    assert url(app)["from"] == url(app)["to"] == first.replace(day=1).isoformat()
    assert not app.exception


@pytest.mark.usefixtures("published")
def test_the_language_is_switched_in_place() -> None:
    app = open_page("overview", lang="en", city="xian")
    app.segmented_control(key="filter_language").set_value("zh-CN").run()
    assert app.title[0].value == "总览"
    assert (url(app)["lang"], url(app)["city"]) == ("zh-CN", "xian")


@pytest.mark.usefixtures("published")
def test_filters_stay_when_the_page_changes() -> None:
    app = open_page("overview", lang="en", city="xian", period="last_7_days")
    app.query_params.clear()  # as the browser does on a change of page
    app.switch_page("views/complaint_type.py").run()
    assert (url(app)["city"], url(app)["period"]) == ("xian", "last_7_days")
    assert app.selectbox(key="filter_city").value == "xian"


@pytest.mark.usefixtures("published")
def test_complaints_are_drilled_three_levels_down_and_back() -> None:
    app = open_page("complaint_type", lang="en")
    app.selectbox(key="drill_type").select("signal").run()
    assert url(app)["type"] == "signal"
    app.selectbox(key="drill_type").select("signal.digital_tv").run()
    assert "Digital TV: one level down" in [each.value.strip("*") for each in app.markdown]
    app.button(key="drill_up").click().run()
    app.button(key="drill_up").click().run()
    assert "type" not in url(app)
    assert not app.exception


@pytest.mark.usefixtures("published")
def test_an_unknown_complaint_type_is_told() -> None:
    app = open_page("complaint_type", lang="en")
    app.query_params["type"] = "no.such"
    app.run()
    assert "no.such" in app.warning[0].value and not app.exception


@pytest.mark.usefixtures("published")
def test_every_tile_has_its_definition() -> None:
    app = open_page("overview", lang="en")
    shown = " ".join(each.value for each in app.markdown)
    assert "answered within T ÷ offered" in shown
    assert "Target 80%" in [each.value for each in app.caption]


@pytest.mark.usefixtures("published")
def test_a_city_sees_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = open_page("overview", lang="en").metric[0].value
    monkeypatch.setenv("CRM_DASHBOARD_SCOPE", "yulin")
    app = open_page("overview", lang="en", city="xian")
    assert app.warning and "xian" in app.warning[0].value
    assert app.metric[0].value != whole
    assert app.selectbox(key="filter_city").disabled


def test_a_new_publication_is_shown_on_the_next_run(marts_home: Path, home: Settings) -> None:
    publish_again(marts_home, home, "one")
    app = open_page("overview", lang="en")
    assert "run one" in app.caption[0].value
    publish_again(marts_home, home, "two")
    app.run()
    assert "run two" in app.caption[0].value and not app.exception


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize(("language", "state"), [("zh-CN", "已归档"), ("en", "Closed")])
def test_an_outage_tells_its_state_in_words(language: Language, state: str) -> None:
    app = open_page("complaint_type", lang=language, period="all")
    (table,) = [each.value for each in app.dataframe if "T-OUTAGE" in each.value.iloc[:, 3].to_numpy()]
    assert set(table.iloc[:, 4]) == {state}

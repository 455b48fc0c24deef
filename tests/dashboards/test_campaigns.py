"""The campaign page says in words whether calling made a difference, and never more than it knows."""

import pytest

from core.i18n import LANGUAGES, Language, texts
from core.trial import effect
from dashboards.answers.campaigns import Evaluation
from tests.dashboards.test_pages import charts, open_page


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_shows_the_campaign_and_its_verdict(language: Language) -> None:
    app, text = open_page("campaigns", lang=language), texts("dashboards", language)
    assert app.title[0].value == text("page.campaigns")
    assert len(app.metric) == 5
    assert len(charts(app)) == 3
    said = [box.value for box in (*app.success, *app.info, *app.warning, *app.error)]
    assert len(said) == 1 and text("campaign.goal_subscribe") in said[0]
    assert app.query_params["campaign"] in ("1", ["1"])


@pytest.mark.usefixtures("published")
def test_a_city_sees_its_own_customers_only() -> None:
    whole, city = open_page("campaigns", lang="en"), open_page("campaigns", lang="en", city="baoji")
    listed = [int(app.metric[0].value.replace(",", "")) for app in (whole, city)]
    assert listed[1] == 260 * 9 // 10 < listed[0]


@pytest.mark.parametrize(
    ("won", "called", "held_won", "held", "verdict"),
    [
        (0, 0, 0, 0, "empty"),
        (5, 100, 0, 0, "no_holdout"),
        (50, 1000, 5, 100, "none"),
        (100, 1000, 2, 100, "likely"),
        (900, 3000, 100, 1000, "worked"),
        (100, 3000, 300, 1000, "harmed"),
    ],
)
def test_the_verdict_claims_no_more_than_the_figures_carry(
    won: int, called: int, held_won: int, held: int, verdict: str
) -> None:
    counts = {"assigned": called, "held": held}
    assert Evaluation(counts, effect(won, called, held_won, held), 360.0, 900.0).verdict == verdict
    assert all(f"campaign.verdict_{verdict}" in texts("dashboards", language) for language in LANGUAGES)

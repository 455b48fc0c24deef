"""The URL says what a page shows: there and back, and never a traceback."""

import os
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.periods import Period
from dashboards.periods import COMPARISONS, PRESETS, Comparison, preset_period
from dashboards.url_state import EARLIEST, LATEST, Known, View, read_language, read_view, with_preset

EXAMPLES = settings(max_examples=300 if os.environ.get("CRM_TEST_FULL") else 40, deadline=None)
KNOWN = Known(Period(date(2026, 8, 1), date(2026, 10, 29)), date(2026, 10, 29), ("xian", "yulin"))

days = st.dates(EARLIEST, LATEST)


@st.composite
def views(draw: st.DrawFn) -> View:
    preset = draw(st.sampled_from(PRESETS))
    first, last = sorted((draw(days), draw(days)))
    period = Period(first, last) if preset == "custom" else preset_period(preset, data=KNOWN.days, anchor=KNOWN.anchor)
    return View(
        draw(st.sampled_from(("zh-CN", "en"))),
        preset,
        period,
        draw(st.sampled_from(COMPARISONS)),
        draw(st.sampled_from((None, "xian", "yulin"))),
    )


@EXAMPLES
@given(views())
def test_a_view_survives_the_url(view: View) -> None:
    assert read_view(view.to_params(), default_language="zh-CN", known=KNOWN) == (view, [])


@EXAMPLES
@given(
    st.dictionaries(
        st.sampled_from(("lang", "period", "from", "to", "city", "compare", "other")),
        st.one_of(st.text(max_size=12), st.sampled_from(("custom", "all", "2026-02-31", "9999-12-31", "0001-01-01"))),
    )
)
def test_any_url_gives_a_view_and_its_comparison(params: dict[str, str]) -> None:
    view, _ = read_view(params, default_language="en", known=KNOWN)
    assert view.period.first <= view.period.last
    assert view.before is None or view.before.first <= view.before.last
    assert view.city in (None, *KNOWN.cities)


HELD = (Period(date(2025, 3, 1), date(2025, 3, 4)), Period(date(2026, 9, 20), date(2026, 10, 29)))


@pytest.mark.parametrize(
    ("last", "comparison", "since"),
    [
        ("2026-10-16", "previous", "2026-09-20"),  # compared with 19 September to 2 October
        ("2026-10-17", "previous", None),
        ("2026-10-29", "year", "2026-09-20"),
        ("2026-10-29", "none", None),
    ],
)
def test_a_period_that_the_data_hold_in_part_is_not_compared_with(
    last: str, comparison: Comparison, since: str | None
) -> None:
    period = Period(date.fromisoformat(last) - timedelta(days=13), date.fromisoformat(last))
    view = View("en", "custom", period, comparison, runs=HELD)
    assert view.uncovered(comparison) == (date.fromisoformat(since) if since else None)
    assert (view.before is None) == (since is not None or comparison == "none")


@pytest.mark.parametrize(
    ("params", "notice"),
    [
        ({"city": "atlantis"}, "notice.city"),
        ({"period": "yesteryear"}, "notice.period"),
        ({"from": "2026-02-31", "to": "2026-03-01"}, "notice.dates"),
        ({"period": "custom", "from": "2026-10-02", "to": "2026-10-01"}, "notice.dates"),
        ({"period": "custom"}, "notice.dates"),
        ({"period": "custom", "from": "0001-01-01", "to": "9999-12-31"}, "notice.dates"),
        ({"compare": "the moon"}, "notice.compare"),
        ({"lang": "tlh"}, "notice.language"),
    ],
)
def test_what_makes_no_sense_is_replaced_and_told(params: dict[str, str], notice: str) -> None:
    view, notices = read_view(params, default_language="en", known=KNOWN)
    assert [each.key for each in notices] == [notice]
    assert (view.language, view.city, view.comparison) == ("en", None, "previous")
    assert view.preset == "last_28_days"


def test_days_alone_make_a_chosen_period() -> None:
    view, notices = read_view({"from": "2026-10-01", "to": "2026-10-05"}, default_language="en", known=KNOWN)
    assert (view.preset, view.period.days, notices) == ("custom", 5, [])


def test_language_can_be_short() -> None:
    assert read_language({"lang": "zh"}, "en") == ("zh-CN", [])
    assert read_language({}, "en") == ("en", [])


def test_choosing_days_starts_from_the_days_shown() -> None:
    view = View("en", "last_7_days", preset_period("last_7_days", data=KNOWN.days, anchor=KNOWN.anchor), "none")
    assert with_preset(view, "custom", KNOWN).period == view.period
    assert with_preset(view, "all", KNOWN).period == KNOWN.days
    assert with_preset(view, "last_7_days", KNOWN).period.days == timedelta(days=7).days

"""A click on a mark becomes the rows that it counts."""

from datetime import date

import altair as alt
import pandas as pd
import pytest

from dashboards import behind
from dashboards.behind import FILTERS, OF_THE_CRM, PICK, Behind, pickable, picked_row
from dashboards.data import query_text

TABLE = pd.DataFrame(
    {
        "day": pd.to_datetime(["2026-10-01", "2026-10-02"]),
        "name": ["Voice", "Fax"],
        "value": [3.0, 4.0],
        "code": ["v", "f"],
    }
)


@pytest.mark.parametrize("hours", [-10, -5, 0, 5.5, 8, 11])
def test_a_day_is_found_whatever_the_browsers_zone(hours: float) -> None:
    midnight = (pd.Timestamp("2026-10-02") - pd.Timedelta(hours=hours)).timestamp() * 1000
    row = picked_row(TABLE, Behind("contacts", ("day",), {"day": "day"}), [{"day": midnight}])
    assert row is not None and row["code"] == "f"


def test_a_mark_that_is_no_longer_there_picks_nothing() -> None:
    spec = Behind("contacts", ("name", "value"), {"channel": "code"})
    assert picked_row(TABLE, spec, [{"name": "Fax", "value": 9}]) is None
    assert picked_row(TABLE, spec, []) is None
    row = picked_row(TABLE, spec, [{"name": "Voice", "value": 3}])
    assert row is not None and row["code"] == "v"


def test_every_kind_of_chart_takes_the_selection() -> None:
    base = alt.Chart(TABLE).encode(x="day:T", y="value:Q")
    for chart in (base.mark_bar(), base.mark_line() + base.mark_point(), base.mark_bar().configure_view(stroke=None)):
        spec = pickable(chart, Behind("contacts", ("day",), {})).to_dict()
        names = [each["name"] for each in spec.get("params", [])]
        assert PICK in names
        assert spec["config"]["mark"]["cursor"] == "pointer"


@pytest.mark.parametrize("dataset", sorted(FILTERS.keys() - OF_THE_CRM))
def test_a_query_takes_the_filters_of_its_dataset_and_shows_nothing_personal(dataset: behind.Dataset) -> None:
    text = query_text(f"behind_{dataset}")
    for name in (*FILTERS[dataset], "first", "last"):
        assert f"${name}" in text
    assert not any(word in text for word in ("phone", "identity", "caller", "account", "mobile", "birth"))
    assert "limit 500" in text


def test_days_are_said_as_days() -> None:
    assert behind._plain(date(2026, 10, 1)) == "2026-10-01"

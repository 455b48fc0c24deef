"""Charts as Vega-Lite specs: what is drawn from which column, in which order and colour."""

import json
from typing import Any

import pandas as pd
import pytest
import vl_convert

from core.i18n import LANGUAGES, Language, texts
from dashboards.figures.bars import PICK, mix, pareto, ranked, stacked
from dashboards.figures.grids import CITY_TILES, half_hour_map, tile_map, two_way
from dashboards.figures.seats import fill_by_half_hour, occupancy_against_service, states_by_half_hour
from dashboards.figures.theme import CHANNELS, STATES, ratio_scale
from dashboards.figures.trends import shares, trend

EN = texts("dashboards", "en")
NAN = float("nan")


def _layers(spec: dict[str, Any]) -> list[dict[str, Any]]:
    """Every mark of a spec, nested layers unfolded."""
    found = [layer for inner in spec.get("layer", []) for layer in _layers(inner)]
    return found or [spec]


def _mark(spec: dict[str, Any], kind: str) -> dict[str, Any]:
    return next(layer for layer in _layers(spec) if layer["mark"]["type"] == kind)


def _days(before: float = NAN) -> pd.DataFrame:
    return pd.DataFrame({"day": pd.date_range("2026-10-01", periods=3), "value": [0.7, 0.8, 0.9], "before": before})


def test_a_trend_has_its_target_and_the_period_before_only_where_they_exist() -> None:
    plain = trend(_days(), texts=EN, unit="ratio", name="Service level").to_dict()
    assert [layer["mark"]["type"] for layer in _layers(plain)] == ["line", "rule"]
    full = trend(_days(0.5), texts=EN, unit="ratio", name="Service level", target=0.8).to_dict()
    assert [layer["mark"]["type"] for layer in _layers(full)] == ["line", "line", "rule", "text", "text", "rule"]
    assert "Target 80%" in json.dumps(full)
    assert _layers(full)[0]["encoding"]["y"]["field"] == "before"


def test_counts_start_at_zero_and_shares_show_their_movement() -> None:
    count = trend(_days(), texts=EN, unit="count", name="Contacts").to_dict()
    assert _mark(count, "line")["encoding"]["y"]["scale"]["zero"] is True
    share = trend(_days(), texts=EN, unit="ratio", name="Service level", target=0.95).to_dict()
    low, high = _mark(share, "line")["encoding"]["y"]["scale"]["domain"]
    assert low < 0.7 and 0.95 < high <= 1


@pytest.mark.parametrize(("values", "shown"), [([0.4, 0.4], ".1%"), ([0.1, 0.9], ".0%"), ([], ".0%")])
def test_axis_labels_never_repeat_a_percent(values: list[float], shown: str) -> None:
    assert ratio_scale(pd.Series(values, dtype=float))[1] == shown


def test_shares_are_stacked_in_the_order_of_the_catalogue_with_fixed_colours() -> None:
    table = pd.DataFrame(
        {"start": "10-01", "code": ["email", "voice"], "name": ["E-mail", "Voice"], "order": [5, 0], "value": [1, 3],
         "share": [0.25, 0.75]}
    )  # fmt: skip
    spec = shares(table, texts=EN, colours=CHANNELS).to_dict()
    colour = spec["encoding"]["color"]
    assert colour["scale"] == {"domain": ["Voice", "E-mail"], "range": [CHANNELS["voice"], CHANNELS["email"]]}
    assert spec["encoding"]["y"]["stack"] == "normalize"


def test_pareto_bars_can_be_picked_and_the_cumulative_line_has_its_own_axis() -> None:
    table = pd.DataFrame(
        {"code": ["signal", "fee"], "name": ["Signal", "Fees"], "value": [6, 2], "share": [0.75, 0.25],
         "cumulative": [0.75, 1.0], "before": [NAN, NAN]}
    )  # fmt: skip
    spec = pareto(table, texts=EN).to_dict()
    assert spec["resolve"]["scale"]["y"] == "independent"
    assert _mark(spec, "bar")["encoding"]["x"]["sort"] == ["Signal", "Fees"]
    assert _mark(spec, "line")["encoding"]["y"]["scale"]["domain"] == [0, 1]
    params = spec.get("params") or [param for layer in _layers(spec) for param in layer.get("params", [])]
    assert [(param["name"], param["select"]["fields"]) for param in params] == [(PICK, ["code"])]


def test_a_heat_map_turns_at_the_target() -> None:
    table = pd.DataFrame({"half_hour": ["08:00", "08:30"], "row": ["Mon", "Mon"], "value": [0.5, 0.9]})
    scale = half_hour_map(table, texts=EN, unit="ratio", name="SL", target=0.8, rows=["Mon"]).to_dict()["encoding"][
        "color"
    ]["scale"]
    assert scale["domain"][2] == 0.8
    assert scale["domain"] == sorted(scale["domain"])
    plain = half_hour_map(table, texts=EN, unit="count", name="Offered", rows=["Mon"]).to_dict()
    assert "domain" not in plain["encoding"]["color"]["scale"]


def test_dark_cells_have_light_numbers() -> None:
    table = pd.DataFrame({"row": ["a", "a"], "column": ["x", "y"], "value": [9, 1], "share": [0.9, 0.1]})
    spec = two_way(table, texts=EN, rows=["a"], columns=["x", "y"]).to_dict()
    rows = next(iter(spec["datasets"].values()))
    assert [row["is_dark"] for row in rows] == [True, False]


def test_each_of_the_eleven_cities_has_a_tile_of_its_own() -> None:
    assert len(CITY_TILES) == len(set(CITY_TILES.values())) == 11
    table = pd.DataFrame(
        {"city_code": ["xian", "province"], "name": ["Xi'an", "Provincial company"], "value": [1.0, 9.0],
         "complaints": [1, 1], "customers": [1000, 1]}
    )  # fmt: skip
    spec = tile_map(table, texts=EN, name="Rate", unit="per_thousand").to_dict()
    assert [row["name"] for row in next(iter(spec["datasets"].values()))] == ["Xi'an"]


def test_a_tick_marks_the_share_before_only_if_compared() -> None:
    table = pd.DataFrame({"code": ["voice"], "name": ["Voice"], "value": [3], "share": [1.0], "share_before": [NAN]})
    kinds = [layer["mark"]["type"] for layer in _layers(mix(table, texts=EN, colours=CHANNELS).to_dict())]
    assert kinds == ["bar", "text"]
    compared = mix(table.assign(share_before=0.8), texts=EN, colours=CHANNELS).to_dict()
    assert [layer["mark"]["type"] for layer in _layers(compared)] == ["bar", "text", "tick"]


def test_seat_states_are_stacked_from_work_to_nobody() -> None:
    table = pd.DataFrame(
        {"half_hour": "08:00", "state": list(STATES), "name": list(STATES), "order": range(5), "seats": 1.0}
    )
    colour = states_by_half_hour(table, texts=EN).to_dict()["encoding"]["color"]
    assert colour["scale"] == {"domain": list(STATES), "range": list(STATES.values())}


def _every_chart(language: Language) -> dict[str, Any]:
    text = texts("dashboards", language)
    half_hours = pd.DataFrame(
        {"half_hour": ["08:00"], "occupancy": [0.8], "sl_negative": [0.7], "offered": [5], "is_extreme": [True]}
    )
    cells = pd.DataFrame({"row": ["a"], "part": ["b"], "column": ["b"], "order": [0], "value": [1], "share": [1.0]})
    named = pd.DataFrame({"name": ["a"], "value": [0.5], "before": [0.4]})
    lines = pd.DataFrame({"half_hour": ["08:00"], "measure": ["Fill"], "order": [0], "value": [0.5], "row": ["a"]})
    coded = pd.DataFrame(
        {"code": ["voice"], "name": ["电话"], "value": [3], "share": [1.0], "share_before": [0.8], "before": [2],
         "cumulative": [1.0], "start": ["10-01"], "order": [0]}
    )  # fmt: skip
    seats = pd.DataFrame({"half_hour": ["08:00"], "state": ["empty"], "name": ["空"], "order": [0], "seats": [1.0]})
    city = pd.DataFrame({"city_code": ["xian"], "name": ["西安"], "value": [1.0], "complaints": [1], "customers": [9]})
    return {
        "scatter": occupancy_against_service(half_hours, texts=text, target=0.8),
        "stacked": stacked(cells, texts=text, colours=["#000"], rows=["a"], parts=["b"]),
        "two_way": two_way(cells, texts=text, rows=["a"], columns=["b"]),
        "ranked": ranked(named, texts=text, unit="ratio", name="Used", target=0.6),
        "fill": fill_by_half_hour(lines, texts=text),
        "heat": half_hour_map(lines, texts=text, unit="ratio", name="SL", target=0.8, rows=["a"]),
        "mix": mix(coded, texts=text, colours=CHANNELS),
        "shares": shares(coded, texts=text, colours=CHANNELS),
        "pareto": pareto(coded, texts=text),
        "states": states_by_half_hour(seats, texts=text),
        "tiles": tile_map(city, texts=text, name="Rate", unit="per_thousand"),
        "trend": trend(_days(0.5), texts=text, unit="ratio", name="SL", target=0.8),
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_chart_has_a_chinese_font_and_is_drawn_without_a_network(language: Language) -> None:
    for name, chart in _every_chart(language).items():
        spec = chart.to_dict()
        assert "Noto Sans CJK SC" in spec["config"]["font"], name
        assert '"url"' not in json.dumps(spec), name


def test_every_chart_can_be_drawn() -> None:
    for name, chart in _every_chart("zh-CN").items():
        assert "<path" in vl_convert.vegalite_to_svg(chart.to_dict()), name

"""Complaints that come together are flagged; what chance makes is not."""

from datetime import date, timedelta

import numpy as np
import pandas as pd

from dashboards.clusters import FEWEST, WEEKS, clusters

LAST = date(2026, 11, 22)
FIRST = LAST - timedelta(days=27)
DAYS = pd.date_range(FIRST - timedelta(weeks=WEEKS), LAST, freq="D")
PLACES = [(city, code) for city in ("xian", "yulin", "baoji") for code in ("signal.a", "signal.b", "fee.c", "service")]


def _usual(seed: int, mean: float = 1.5) -> pd.DataFrame:
    noise = np.random.default_rng(seed)
    rows = [
        {"day": day, "city_code": city, "code": code, "complaints": int(count)}
        for city, code in PLACES
        for day, count in zip(DAYS, noise.poisson(mean, len(DAYS)), strict=True)
        if count
    ]
    return pd.DataFrame(rows)


def test_chance_alone_is_hardly_ever_flagged() -> None:
    found = [len(clusters(_usual(seed, mean), FIRST, LAST)) for seed in range(20) for mean in (0.2, 1.5, 12.0)]
    assert sum(found) <= 6, "5 % of 60 pages are 3"


def test_an_outage_is_flagged_with_what_was_to_be_expected() -> None:
    counts = _usual(1)
    day = pd.Timestamp(LAST - timedelta(days=3))
    more = pd.DataFrame([{"day": day, "city_code": "yulin", "code": "signal.a", "complaints": 14}])
    counts = pd.concat([counts, more]).groupby(["day", "city_code", "code"], as_index=False)["complaints"].sum()
    found = clusters(counts, FIRST, LAST)
    assert [tuple(row) for row in found[["day", "city_code", "code"]].to_numpy()] == [(day, "yulin", "signal.a")]
    assert found.iloc[0]["complaints"] >= 14 and found.iloc[0]["expected"] < 4


def test_a_type_never_seen_before_needs_several_and_nothing_is_nothing() -> None:
    new = pd.DataFrame([{"day": LAST, "city_code": "xian", "code": "new", "complaints": 12}])
    assert len(clusters(pd.concat([_usual(2), new]), FIRST, LAST)) == 1
    assert clusters(pd.concat([_usual(2), new.assign(complaints=FEWEST - 1)]), FIRST, LAST).empty
    assert clusters(new.iloc[0:0], FIRST, LAST).empty

"""Where the customers live: cities, counties and about 920 townships with plausible names."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from simulator.columns import Floats, Ints, keys, rows_of
from simulator.parameters import Parameters
from simulator.vocabulary import vocabulary

#: Townships are the same in every run: places do not depend on the seed.
_PLACES_SEED = 96766


@dataclass(frozen=True)
class Places:
    """Units and townships. Arrays over townships run in the order of their ids (1, 2, …)."""

    city_codes: list[str]
    city_names: list[str]
    city_unit: Ints  # org_units.id of each city
    area_codes: list[str]
    county_names: list[str]  # of each township
    township_names: list[str]
    township_codes: list[str]
    township_english: list[str]
    township_unit: Ints  # org_units.id of its county
    township_city: Ints  # index into city_codes
    township_share: Floats  # of its city's customers; adds up to 1 within a city

    @property
    def townships(self) -> int:
        """How many townships there are."""
        return len(self.township_names)


def _syllables(part: str) -> list[tuple[str, str]]:
    return [(pair.partition(":")[0], pair.partition(":")[2]) for pair in vocabulary(part)]


def _spread(total: int, weights: Floats) -> Ints:
    """Whole numbers that add up to `total`, near to `weights`, at least one each."""
    exact = weights / weights.sum() * (total - len(weights))
    numbers = np.floor(exact).astype(np.int64)
    numbers[np.argsort(numbers - exact, kind="stable")[: total - len(weights) - int(numbers.sum())]] += 1
    filled: Ints = numbers + 1
    return filled


def _names(count: int, rng: np.random.Generator) -> list[tuple[str, str]]:
    first, second = _syllables("place_first"), _syllables("place_second")
    picks = rng.permutation(len(first) * len(second))[:count]
    return [
        (first[pick % len(first)][0] + second[pick // len(first)][0],
         first[pick % len(first)][1] + second[pick // len(first)][1])
        for pick in picks
    ]  # fmt: skip


def build_places(parameters: Parameters, units: list[Mapping[str, Any]]) -> Places:
    """Townships below the counties of `units` (rows of org_units, each with id, code, kind, parent_id, names)."""
    rng = np.random.default_rng(_PLACES_SEED)
    cities = sorted(
        (unit for unit in units if unit["kind"] == "city" and unit["code"] in parameters.cities),
        key=lambda unit: list(parameters.cities).index(unit["code"]),
    )
    index = {city["id"]: number for number, city in enumerate(cities)}
    counties = sorted((u for u in units if u["kind"] == "county" and u["parent_id"] in index), key=lambda u: u["id"])
    weight = np.array([parameters.cities[city["code"]].weight for city in cities])
    per_city = np.bincount([index[county["parent_id"]] for county in counties], minlength=len(cities))
    # Big cities have more street offices per district, but far fewer than their customers would ask for.
    wanted = np.array([np.sqrt(weight[index[c["parent_id"]]] / per_city[index[c["parent_id"]]]) for c in counties])
    numbers = _spread(parameters.townships, wanted)
    codes, english, chinese, county_names = [], [], [], []
    for county, number in zip(counties, numbers, strict=True):
        kinds = ["街道"] if county["name_zh"].endswith("区") else ["镇", "镇", "镇", "乡"]
        for position, (name, pinyin) in enumerate(_names(int(number), rng), start=1):
            codes.append(f"{county['code']}.{pinyin}{position}")
            english.append(pinyin.capitalize())
            chinese.append(name + kinds[position % len(kinds)])
            county_names.append(county["name_zh"])
    unit = np.repeat([county["id"] for county in counties], numbers).astype(np.int64)
    city = np.repeat([index[county["parent_id"]] for county in counties], numbers).astype(np.int64)
    share = rng.lognormal(0.0, 0.6, len(unit))
    share /= np.bincount(city, share)[city]
    return Places(
        city_codes=[c["code"] for c in cities],
        city_names=[c["name_zh"] for c in cities],
        city_unit=np.array([c["id"] for c in cities], np.int64),
        area_codes=[c["area_code"] for c in cities],
        county_names=county_names,
        township_names=chinese,
        township_codes=codes,
        township_english=english,
        township_unit=unit,
        township_city=city,
        township_share=share,
    )


def township_rows(places: Places) -> pa.Table:
    """The townships as rows of the store."""
    return rows_of(
        "townships",
        places.townships,
        {
            "id": keys(np.arange(1, places.townships + 1)),
            "code": pa.array(places.township_codes),
            "unit_id": keys(places.township_unit),
            "name_zh": pa.array(places.township_names),
            "name_en": pa.array(places.township_english),
        },
    )

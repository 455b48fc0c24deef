"""Names, identity numbers and addresses that look real and belong to nobody."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulator.columns import Flags, Ints, words
from simulator.vocabulary import vocabulary

_REGIONS = {"xian": 610100, "tongchuan": 610200, "baoji": 610300, "xianyang": 610400, "weinan": 610500, "yanan": 610600,
            "hanzhong": 610700, "yulin": 610800, "ankang": 610900, "shangluo": 611000, "yangling": 610400}  # fmt: skip
_CREDIT = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def _pick(rng: np.random.Generator, vocabulary: list[str], count: int, weights: np.ndarray | None = None) -> pa.Array:
    share = None if weights is None else weights / weights.sum()
    return pc.cast(words(vocabulary, rng.choice(len(vocabulary), count, p=share)), pa.string())


def _joined(*parts: pa.Array) -> pa.Array:
    return pc.binary_join_element_wise(*parts, "")


def person_names(rng: np.random.Generator, count: int) -> pa.Array:
    """Chinese names; common surnames are common, two given characters three times in four."""
    surnames = vocabulary("surnames")
    surname = _pick(rng, surnames, count, 1.0 / (np.arange(len(surnames)) + 4))
    given = vocabulary("given")
    second = _pick(rng, ["", *given], count, np.array([len(given) / 3, *[1.0] * len(given)]))
    return _joined(surname, _pick(rng, given, count), second)


def organisation_names(rng: np.random.Generator, city_names: list[str], city: Ints) -> pa.Array:
    """Names of firms: city, word, trade, legal form."""
    count = len(city)
    place = pc.cast(words(city_names, city), pa.string())
    return _joined(place, *[_pick(rng, vocabulary(part), count) for part in ("firms", "trades", "forms")])


def addresses(rng: np.random.Generator, township_names: list[str], township: Ints) -> pa.Array:
    """Township, road, number, house, door."""
    count = len(township)

    def number(most: int) -> pa.Array:
        return pc.cast(pa.array(rng.integers(1, most, count)), pa.string())

    place = pc.cast(words(township_names, township), pa.string())
    door = pc.cast(pa.array(rng.integers(1, 7, count) * 100 + rng.integers(1, 5, count)), pa.string())
    said = [pa.scalar(text) for text in ("号", "号楼", "单元", "室")]
    return _joined(place, _pick(rng, vocabulary("roads"), count), number(200), said[0], number(20), said[1], number(5),
                   said[2], door, said[3])  # fmt: skip


def identity_numbers(
    rng: np.random.Generator, city_codes: list[str], city: Ints, birth_year: Ints, organisation: Flags
) -> pa.Array:
    """Resident identity numbers (GB 11643) and unified social credit codes (GB 32100) with their check characters."""
    count = len(city)
    region = np.array([_REGIONS.get(code, 610000) for code in city_codes])[city] + rng.integers(2, 30, count)
    month, day = rng.integers(1, 13, count), rng.integers(1, 29, count)
    date = np.maximum(birth_year, 1930) * 10_000 + month * 100 + day
    person = (region * 10**8 + date) * 1000 + rng.integers(1, 1000, count)
    firm = (91 * 10**6 + region) * 10**9 + rng.integers(10**8, 10**9, count)
    body = np.where(organisation, firm, person)
    digits = body[:, None] // 10 ** np.arange(16, -1, -1) % 10
    resident = np.array(list("10X98765432"))[(digits * (2 ** np.arange(17, 0, -1) % 11)).sum(axis=1) % 11]
    weights = np.array([pow(3, place, 31) for place in range(17)])
    credit = np.array(list(_CREDIT))[(31 - (digits * weights).sum(axis=1) % 31) % 31]
    check = pa.array(np.where(organisation, credit, resident).tolist(), pa.string())
    return _joined(pc.cast(pa.array(body), pa.string()), check)

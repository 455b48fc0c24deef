"""Customer value: the published parameters, sound probabilities, and numbers that never overflow."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.base import clone

from ml.models import CustomerValue


@pytest.fixture(scope="module")
def cdnow(public: Path) -> pd.DataFrame:
    return pd.read_csv(public / "cdnow_summary.csv")


def fitted(table: pd.DataFrame) -> CustomerValue:
    return CustomerValue().fit(table["x"], table["t_x"], table["T"], table["zbar"])


def test_the_published_parameters_of_cdnow(cdnow: pd.DataFrame) -> None:
    params = fitted(cdnow).params_
    print(params)
    for name, value, tolerance in [
        ("r", 0.243, 0.001),
        ("alpha", 4.414, 0.005),
        ("a", 0.793, 0.003),
        ("b", 2.426, 0.01),
    ]:
        assert params[name] == pytest.approx(value, abs=tolerance)
    for name, value, tolerance in [("p", 6.25, 0.03), ("q", 3.74, 0.02), ("v", 15.45, 0.1)]:
        assert params[name] == pytest.approx(value, abs=tolerance)


def test_the_published_customer_of_cdnow(cdnow: pd.DataFrame) -> None:
    model = fitted(cdnow)
    # Fader, Hardie, Lee 2005: x = 2, t_x = 30.43, T = 38.86 buys 1.226 times in the next 39 weeks.
    assert model.expected_purchases(39, [2], [30.43], [38.86])[0] == pytest.approx(1.226, abs=0.003)
    assert model.probability_alive([2], [30.43], [38.86])[0] == pytest.approx(0.727, abs=0.01)


def test_probabilities_and_values_behave(cdnow: pd.DataFrame) -> None:
    model = fitted(cdnow)
    alive = model.probability_alive(cdnow["x"], cdnow["t_x"], cdnow["T"])
    assert ((alive >= 0) & (alive <= 1)).all()
    later = model.probability_alive([5, 5, 5], [38, 20, 5], [38.86] * 3)
    assert later[0] > later[1] > later[2]
    near, far = (model.expected_purchases(t, cdnow["x"], cdnow["t_x"], cdnow["T"]) for t in (1, 52))
    assert (far > near).all()
    assert np.allclose(model.expected_purchases(0, [3], [10], [20]), 0)
    value = model.expected_value(52, cdnow["x"], cdnow["t_x"], cdnow["T"], cdnow["zbar"], margin=0.3)
    assert np.isfinite(value).all()
    p, q, v = (model.params_[name] for name in "pqv")
    assert model.expected_amount([0], [0])[0] == pytest.approx(p * v / (q - 1))


def test_the_unit_of_time_and_money_is_free(cdnow: pd.DataFrame) -> None:
    weeks = fitted(cdnow)
    days = CustomerValue().fit(cdnow["x"], cdnow["t_x"] * 7, cdnow["T"] * 7, cdnow["zbar"] * 100)
    assert days.params_["alpha"] == pytest.approx(weeks.params_["alpha"] * 7, rel=1e-3)
    assert days.params_["v"] == pytest.approx(weeks.params_["v"] * 100, rel=1e-2)
    assert days.params_["r"] == pytest.approx(weeks.params_["r"], rel=1e-3)
    assert days.log_likelihood_ == pytest.approx(weeks.log_likelihood_ - cdnow["x"].sum() * np.log(7), rel=1e-4)


def test_planted_parameters_are_recovered() -> None:
    rng = np.random.default_rng(0)
    rows = []
    for rate, leave in zip(rng.gamma(0.8, 1 / 5, 4000), rng.beta(1.2, 3.0, 4000), strict=True):
        t, x, last = 0.0, 0, 0.0
        while True:
            t += rng.exponential(1 / max(rate, 1e-9))
            if t > 50:
                break
            x, last = x + 1, t
            if rng.random() < leave:
                break
        rows.append((x, last, 50.0))
    x, t, length = np.array(rows).T
    params = CustomerValue().fit(x, t, length).params_
    assert params["r"] == pytest.approx(0.8, rel=0.15)
    assert params["alpha"] == pytest.approx(5, rel=0.2)
    assert params["a"] / (params["a"] + params["b"]) == pytest.approx(1.2 / 4.2, rel=0.15)


def test_heavy_buyers_few_customers_and_odd_amounts_are_survived() -> None:
    x = np.array([0, 0, 1, 900, 3000, 12])
    model = CustomerValue(penalty=0.001).fit(x, [0, 0, 5, 364, 365, 100], [365] * 6, [0, np.nan, 3, 10, 1e6, 20])
    for t in (1, 365, 1e5):
        assert np.isfinite(model.expected_purchases(t, x, [0, 0, 5, 364, 365, 100], [365] * 6)).all()
    assert model.expected_purchases(365, [3000], [365], [365])[0] == pytest.approx(3000, rel=0.2)
    tiny = CustomerValue().fit([1], [1], [2], [5])
    assert not tiny.has_money_
    assert np.isfinite(tiny.probability_alive([1], [1], [2])).all()
    same = CustomerValue().fit([1, 2, 3] * 20, [1, 2, 3] * 20, [4] * 60, [9.0] * 60)
    assert not same.has_money_
    with pytest.raises(ValueError, match="without amounts"):
        same.expected_amount([1], [9])


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        (([0, 0], [0, 0], [5, 5]), "nobody came back"),
        (([1, 2], [6, 1], [5, 5]), "beyond T"),
        (([1, -2], [1, 1], [5, 5]), "negative"),
        (([1, 2], [1, None], [5, 5]), "missing"),
        (([1, 2], [1, 1], [5]), "As many"),
        (([1, 2], [0, 0], [0, 0]), "T is 0"),
    ],
)
def test_impossible_customers_are_refused_in_words(columns: tuple[list[float], ...], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        CustomerValue().fit(*columns)


def test_repeats_exactly_and_survives_the_registry_file(cdnow: pd.DataFrame) -> None:
    model = fitted(cdnow)
    assert clone(model).fit(cdnow["x"], cdnow["t_x"], cdnow["T"], cdnow["zbar"]).params_ == model.params_
    blob = skops.io.dumps(model)
    loaded = skops.io.loads(blob, trusted=skops.io.get_untrusted_types(data=blob))
    assert np.array_equal(loaded.expected_purchases(9, [2], [3], [4]), model.expected_purchases(9, [2], [3], [4]))

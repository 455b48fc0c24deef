"""What deserves a look."""

import pandas as pd

from dashboards.attention import cities_with_low_service, cities_with_many_complaints, grown_types, weak_half_hours


def test_the_city_with_most_complaints_per_customer_is_named() -> None:
    cities = pd.DataFrame(
        {"name": ["Xi'an", "Yulin", "Yangling"], "complaints": [100, 60, 5], "customers": [10_000, 2_000, 100]}
    )
    (found,) = cities_with_many_complaints(cities)
    # Yangling's rate is higher still, but five complaints say little.
    assert found.values == {"city": "Yulin", "rate": "30.0", "whole": "13.6"}


def test_the_worst_served_city_is_named_if_enough_called() -> None:
    cities = pd.DataFrame({"name": ["A", "B", "C"], "sl_negative": [0.7, 0.6, None], "offered": [500, 20, 0]})
    (found,) = cities_with_low_service(cities, 0.8)
    assert found.values["city"] == "A"
    assert list(cities_with_low_service(cities, None)) == []


def test_half_hours_are_named_by_the_callers_who_waited() -> None:
    rows = pd.DataFrame(
        {"half_hour": ["08:00", "10:00", "22:00"], "sl_negative": [0.9, 0.5, 0.1], "offered": [100, 200, 3]}
    )
    (found,) = weak_half_hours(rows, 0.8)
    assert found.values == {"half_hours": "10:00 (50%)"}


def test_the_type_that_grew_most_is_named() -> None:
    types = pd.DataFrame({"name": ["a", "b", "c"], "value": [100, 60, 9], "before": [95, 30, 1]})
    (found,) = grown_types(types)
    assert found.values == {"type": "b", "value": "60", "percent": "+100%"}


def test_nothing_stands_out_of_nothing() -> None:
    nothing = pd.DataFrame({"name": [], "complaints": [], "customers": [], "sl_negative": [], "offered": []})
    assert list(cities_with_many_complaints(nothing)) == []
    assert list(cities_with_low_service(nothing, 0.8)) == []
    assert list(weak_half_hours(nothing.assign(half_hour=[]), 0.8)) == []
    assert list(grown_types(pd.DataFrame({"name": [], "value": [], "before": []}))) == []

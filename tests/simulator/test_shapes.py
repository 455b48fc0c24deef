"""A province must look like one: days, cities, channels, delays, consents, and why customers leave."""

from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from core.calendar import day_of
from simulator.province import Province
from tests.simulator.conftest import play

Played = tuple[Province, dict[str, pa.Table]]
Ask = duckdb.DuckDBPyConnection


def column(ask: Ask, query: str) -> dict[Any, Any]:
    return dict(ask.execute(query).fetchall())


def test_days_have_their_kind(ask: Ask) -> None:
    calls = column(
        ask, "SELECT CAST(started_at AS DATE), count(*) FROM contacts WHERE channel_code = 'voice' GROUP BY 1"
    )
    kinds: dict[Any, list[int]] = {}
    for day, count in calls.items():
        known = day_of(day)
        kinds.setdefault(known.kind, []).append(count)
        kinds.setdefault(day.isoweekday() if known.kind in ("working", "weekend") else None, []).append(count)
    mean = {kind: np.mean(counts) for kind, counts in kinds.items()}
    assert mean[1] > 1.2 * mean[7]
    assert mean["holiday"] < 0.75 * mean["working"]
    assert mean["make_up"] == pytest.approx(mean["working"], rel=0.12)


def test_mornings_are_busier_than_evenings(ask: Ask) -> None:
    hours = column(ask, "SELECT hour(started_at), count(*) FROM contacts WHERE channel_code = 'voice' GROUP BY 1")
    assert max(hours, key=lambda hour: hours[hour]) in (9, 10, 11)
    assert hours[20] < 0.6 * hours[10]
    assert 0 < hours[3] < 0.05 * hours[10]


def test_cities_by_size_and_delay(ask: Ask) -> None:
    customers = column(ask, "SELECT u.code, count(*) FROM customers c JOIN org_units u ON u.id = c.unit_id GROUP BY 1")
    assert len(customers) == 11
    assert max(customers, key=lambda code: customers[code]) == "xian"
    days = column(
        ask,
        "SELECT u.code, median(epoch(resolved_at) - epoch(created_at)) / 86400 FROM tickets t JOIN org_units u "
        "ON u.id = t.unit_id WHERE service_type_code = 'complaint' AND t.parent_id IS NULL GROUP BY 1",
    )
    assert days["yulin"] > 1.4 * days["xian"]
    assert days["yangling"] < days["xian"]


def test_channels_shift_over_a_year() -> None:
    province, tables = play(customers=4_000, days=365, calls_per_year=4.0)
    connection = duckdb.connect()
    connection.register("rows", tables["contacts"])
    half = province.clock.origin_us + 182 * 86_400_000_000
    first, second = (
        dict(connection.execute(
            f"SELECT channel_code, count(*) FROM rows WHERE epoch_us(started_at) {side} {half} GROUP BY 1"
        ).fetchall())
        for side in ("<", ">=")
    )  # fmt: skip
    for channel in ("web_chat", "sms"):
        assert second[channel] / sum(second.values()) > first[channel] / sum(first.values())
    assert second["voice"] / sum(second.values()) < first["voice"] / sum(first.values())


def test_service_level_and_occupancy_are_those_of_a_working_centre(ask: Ask) -> None:
    within = "count_if(exit_class = 'answered' AND wait <= 20) / count(*)"
    level = ask.execute(f"SELECT {within} FROM offered").fetchall()[0][0]
    assert 0.70 <= level <= 0.92
    occupancy = ask.execute(
        "SELECT sum(s) FILTER (state IN ('alerting', 'talk', 'hold', 'wrap_up')) / sum(s) FILTER (state <> 'pause') "
        "FROM (SELECT state, epoch(ended_at) - epoch(started_at) AS s FROM agent_states)"
    ).fetchall()[0][0]
    assert 0.45 <= occupancy <= 0.85
    hours = column(ask, f"SELECT date_trunc('hour', entered_at), {within} FROM offered GROUP BY 1 HAVING count(*) > 20")
    assert min(hours.values()) < 0.6


def test_a_third_of_contacts_open_a_ticket(ask: Ask) -> None:
    share = ask.execute("SELECT (SELECT count(*) FROM tickets) / (SELECT count(*) FROM contacts)").fetchall()[0][0]
    assert 0.27 <= share <= 0.40


def test_marketing_consent_differs_by_age_and_channel(ask: Ask) -> None:
    granted = ask.execute(
        "SELECT channel, 2026 - birth_year < 35 AS young, avg(CAST(granted AS INT)) FROM consents JOIN customers c "
        "ON c.id = customer_id WHERE purpose = 'marketing' AND valid_to IS NULL AND c.kind = 'person' GROUP BY ALL"
    ).fetchall()
    share = {(channel, young): value for channel, young, value in granted}
    assert share["voice", True] < share["voice", False] - 0.08
    assert share["sms", True] > share["sms", False]


def test_complaint_texts_vary_and_name_their_type(ask: Ask) -> None:
    texts = ask.execute(
        "SELECT complaint_type_code, count(*), count(DISTINCT description) FROM tickets "
        "WHERE complaint_type_code IS NOT NULL GROUP BY 1"
    ).fetchall()
    assert len(texts) == 35
    assert all(different > 0.9 * count for _, count, different in texts)


def test_bad_service_drives_customers_away() -> None:
    """Who complained twice in the first eighty days leaves more often in the seventy that follow."""
    province, tables = play(customers=60_000, days=150, seed=3)
    cut = province.clock.origin_us + 80 * 86_400_000_000
    connection = duckdb.connect()
    for name in ("customers", "tickets"):
        connection.register("rows", tables[name])
        connection.execute(f"CREATE TABLE {name} AS SELECT * FROM rows")
    found = connection.execute(
        "SELECT least(complaints, 2), avg(CAST(left_at IS NOT NULL AS INT)), count(*) FROM (SELECT c.left_at, count(*) "
        "FILTER (t.service_type_code = 'complaint' AND epoch_us(t.created_at) < $cut) AS complaints FROM customers c "
        "LEFT JOIN tickets t ON t.customer_id = c.id WHERE epoch_us(c.registered_at) < $cut "
        "AND (c.left_at IS NULL OR epoch_us(c.left_at) >= $cut) GROUP BY c.id, c.left_at) GROUP BY 1",
        {"cut": cut},
    ).fetchall()
    leaving = {complaints: share for complaints, share, _ in found}
    assert leaving[2] > 1.5 * leaving[0]
    assert leaving[1] > leaving[0]
    assert 0.004 < leaving[0] < 0.05


def test_organisations_form_groups_that_only_organisations_of_the_city_are_in(ask: Ask) -> None:
    groups = ask.execute(
        "SELECT g.id, count(*), bool_and(c.kind = 'organisation' AND c.unit_id = g.unit_id), "
        "bool_and(m.joined_at BETWEEN c.registered_at AND coalesce(m.left_at, m.joined_at)), "
        "bool_and(m.left_at IS NOT DISTINCT FROM c.left_at) "
        "FROM customer_groups g JOIN customer_group_members m ON m.group_id = g.id "
        "JOIN customers c ON c.id = m.customer_id GROUP BY ALL"
    ).fetchall()
    assert 11 <= len(groups) < 60
    assert all(2 <= members <= 6 and ours and within and until for _, members, ours, within, until in groups)
    several = ask.execute(
        "SELECT count(*) FROM (SELECT customer_id FROM customer_group_members GROUP BY 1 HAVING count(*) > 1)"
    ).fetchone()
    assert several is not None and several[0] > 0


def test_groups_draw_nothing(province: Played) -> None:
    from simulator.groups import group_rows
    from tests.simulator.conftest import plain

    again = {
        name: plain(rows) for name, rows in group_rows(province[0].population, province[0].places, province[0].clock)
    }
    assert all(again[name].equals(province[1][name]) for name in again)

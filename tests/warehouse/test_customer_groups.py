"""Groups of customers: at any instant a customer's weights add up to 1, so groups add up to what their customers do."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from core.settings import Settings
from tests.warehouse.centre import MONDAY, TUESDAY, Centre, at, busy
from tests.warehouse.lake import Rows, write_load
from tests.warehouse.quick import quick_build

TABLES = ("customer_groups", "customer_group_members")
BEFORE = at(MONDAY, "00:00:00") - timedelta(days=90)
NOON = at(MONDAY, "12:00:00")

#: What is looked at here.
MARTS = ("bridge_customer_group", "dim_customer_group")


def grouped(reference: dict[str, Rows]) -> Centre:
    """Customer 1 is in the first group throughout, in the second from Monday's noon to Tuesday; customer 2 returns."""
    centre = busy(reference)
    for code, city in (("G1", "xian"), ("G2", "baoji"), ("G3", "xian")):
        centre.add(
            "customer_groups",
            code=code,
            name=f"{code}集团",
            unit_id=centre.units[city],
            is_active=True,
            created_at=BEFORE,
        )
    stay(centre, 1, 1, BEFORE, None)
    stay(centre, 2, 1, NOON, at(TUESDAY, "00:00:00"))
    stay(centre, 2, 2, BEFORE, BEFORE + timedelta(days=1))
    stay(centre, 2, 2, at(MONDAY, "09:00:00"), None)
    # A group that is no more weighs nothing.
    stay(centre, 3, 1, BEFORE, None)
    centre.rows["customer_groups"][2]["deleted_at"] = NOON
    # Left in the moment of joining: never a member. A stay that a merge left beside another counts once.
    stay(centre, 1, 2, NOON, NOON)
    stay(centre, 1, 1, BEFORE + timedelta(days=2), NOON)
    return centre


def stay(centre: Centre, group: int, customer: int, joined: datetime, left: datetime | None) -> None:
    centre.add("customer_group_members", group_id=group, customer_id=customer, joined_at=joined, left_at=left)


def rows(settings: Settings, query: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(settings.warehouse_file), read_only=True) as connection:
        return connection.execute(query).fetchall()


WEIGHTED = """
select sum(b.weight), count(distinct f.contact_key)
from marts.fct_contact f join marts.bridge_customer_group b
on f.customer_key = b.customer_key and f.started_at >= b.valid_from and f.started_at < b.valid_to
"""
MEMBERS = """
select count(*) from marts.fct_contact f
where exists (select 1 from marts.bridge_customer_group b where b.customer_key = f.customer_key
and f.started_at >= b.valid_from and f.started_at < b.valid_to)
"""


def test_weights_follow_who_is_in_which_group_when(tmp_path: Path, reference: dict[str, Rows]) -> None:
    settings = Settings(home=tmp_path / "home")
    # A lake of before there were groups is built, too.
    write_load(settings.lake, busy(reference).rows)
    for table in TABLES:
        (settings.lake / table / "_schema.parquet").unlink()
    quick_build(settings, *MARTS)
    assert rows(settings, "select count(*) from marts.bridge_customer_group") == [(0,)]
    assert rows(settings, "select code from marts.dim_customer_group") == [("none",)]
    centre = grouped(reference)
    write_load(settings.lake, {table: centre.rows[table] for table in TABLES})
    assert quick_build(settings, *MARTS).mode == "increment"
    held = rows(
        settings,
        "select customer_group_key, weight, is_current, city_code from marts.bridge_customer_group "
        "where customer_key = 1 order by valid_from, customer_group_key",
    )
    # Cut where the second stay in the first group began and ended, too: there nothing changes.
    assert [(group, weight) for group, weight, _, _ in held if weight < 1] == [(1, 0.5), (2, 0.5)]
    assert held[-1] == (1, 1.0, True, "xian")
    assert rows(settings, "select count(*) from marts.bridge_customer_group where customer_key = 2") == [(2,)]
    ((total, contacts),) = rows(settings, WEIGHTED)
    assert total == contacts == rows(settings, MEMBERS)[0][0] > 0

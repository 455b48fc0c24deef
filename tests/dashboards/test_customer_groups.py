"""The table of customer groups: by fees, shared out where a customer is in several, within the reader's scope."""

import pytest

from core.i18n import LANGUAGES, texts
from dashboards.answers.customers import customer_groups
from tests.dashboards.questions import frame_of
from warehouse.publication import Publication, current


@pytest.fixture
def publication(published: object) -> Publication:
    """What the pages of these tests read."""
    return current()


def test_groups_share_what_a_common_customer_met(publication: Publication) -> None:
    frame = frame_of(publication, "en", period="custom", **{"from": "2026-09-07", "to": "2026-09-13"})
    table = customer_groups(frame).set_index("group_code")
    counted = frame.source.rows_of("customer_groups", frame.view.period, city=None, most=1)
    assert len(counted) == 1
    assert list(table.index) == ["G1", "G2"]
    assert table["members"].to_dict() == {"G1": 2, "G2": 1}
    contacts = frame.source.reader().rows(
        "select count(*) as n from fct_contact where customer_key in (1, 2) and direction = 'in' "
        "and date_key between 20260907 and 20260913"
    )["n"][0]
    assert table["contacts"].sum() == contacts
    assert 0 < table.loc["G2", "contacts"] < table.loc["G1", "contacts"]
    assert 0 < table.loc["G2", "complaints"] < table.loc["G1", "complaints"]
    assert table["yuan_a_year"].to_dict() == {"G1": 540, "G2": 180}


def test_a_city_sees_its_own_groups_and_none_are_told(publication: Publication) -> None:
    own = frame_of(publication, "zh-CN", city="baoji")
    assert customer_groups(own).empty
    assert set(customer_groups(frame_of(publication, "zh-CN", city="xian"))["group_name"]) == {
        "曲江酒店集团",
        "宝鸡物业集团",
    }
    for language in LANGUAGES:
        assert texts("dashboards", language)("card.customer_groups.empty")

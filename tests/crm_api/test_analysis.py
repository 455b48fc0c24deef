"""What analysts write beside the figures, and the views that they keep."""

import shutil

import pytest

from core.settings import get_settings
from tests.crm_api.conftest import Client

MARCH = "?first=2026-03-01&last=2026-03-31"
NOTE = {"unit": "baoji", "first_day": "2026-03-10", "last_day": "2026-03-12", "text": " 光缆中断 "}


def _texts(person: object, query: str = MARCH) -> list[str]:
    rows = person.get(f"/api/v1/annotations{query}").json()  # type: ignore[attr-defined]  # a signed-in client
    return [row["text"] for row in rows]


def test_a_citys_annotation_is_seen_there_and_at_the_province_until_it_is_ended(client: Client) -> None:
    city, province, before = client("baoji_analyst"), client("analyst"), set(_texts(client("baoji_analyst")))
    made = city.post("/api/v1/annotations", json=NOTE)
    assert made.status_code == 201
    assert made.json()["text"] == "光缆中断" and made.json()["created_by"] == "baoji_analyst"
    general = province.post("/api/v1/annotations", json=NOTE | {"unit": "province", "text": "全省割接"})
    assert general.json()["unit"] == "province"
    assert set(_texts(city)) - before == {"光缆中断", "全省割接"} - before
    assert {"光缆中断", "全省割接"} <= set(_texts(province))
    assert "光缆中断" not in _texts(province, f"{MARCH}&unit=xian")
    assert _texts(city, "?first=2026-03-13&last=2026-03-31") == []
    assert city.delete(f"/api/v1/annotations/{general.json()['id']}").status_code == 404
    for _ in range(2):
        assert city.delete(f"/api/v1/annotations/{made.json()['id']}").status_code == 204
    ids = [row["id"] for row in city.get(f"/api/v1/annotations{MARCH}").json()]
    assert made.json()["id"] not in ids


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"unit": "xian"}, 404),
        ({"unit": "province"}, 404),
        ({"unit": "baoji.weibin"}, 422),
        ({"last_day": "2026-03-09"}, 422),
        ({"text": "  "}, 422),
        ({"text": "x" * 201}, 422),
    ],
)
def test_what_a_city_may_not_write_is_refused(client: Client, change: dict[str, str], status: int) -> None:
    assert client("baoji_analyst").post("/api/v1/annotations", json=NOTE | change).status_code == status


def test_views_are_ones_own_and_a_name_stands_once(client: Client) -> None:
    mine, other = client("analyst"), client("manager")
    view = {"name": "周会", "page": "complaint_type", "params": {"city": "xian", "period": "last_week"}}
    first = mine.post("/api/v1/saved-views", json=view).json()
    again = mine.post("/api/v1/saved-views", json=view | {"params": {"city": "baoji"}}).json()
    assert again["id"] == first["id"]
    assert [row["params"] for row in mine.get("/api/v1/saved-views").json()] == [{"city": "baoji"}]
    assert other.get("/api/v1/saved-views").json() == []
    assert other.delete(f"/api/v1/saved-views/{first['id']}").status_code == 404
    assert mine.delete(f"/api/v1/saved-views/{first['id']}").status_code == 204
    assert mine.get("/api/v1/saved-views").json() == []


def test_a_view_holds_only_what_an_address_holds(client: Client) -> None:
    for change in ({"page": "../x"}, {"params": {"<b>": "1"}}, {"params": {"city": "x" * 201}}, {"name": ""}):
        body = {"name": "n", "page": "overview", "params": {}} | change
        assert client("analyst").post("/api/v1/saved-views", json=body).status_code == 422


def test_the_province_reads_the_documents_of_the_marts_which_may_do_nothing_in_its_name(client: Client) -> None:
    province, city = client("analyst"), client("baoji_analyst")
    assert province.get("/app/documents").status_code == 404
    written = [get_settings().published / f"documents_2026030{day}" / "index.html" for day in (2, 1)]
    try:
        for path in written:
            path.parent.mkdir(parents=True)
            path.write_text(f"<p>{path.parent.name}</p>", encoding="utf-8")
        answer = province.get("/app/documents")
        assert answer.status_code == 200 and "documents_20260302" in answer.text
        # Its scripts run without the origin, so without the reader's session.
        policy = answer.headers["content-security-policy"]
        assert policy.endswith("sandbox allow-scripts") and "default-src 'none'" in policy
        assert "connect-src" not in policy
        assert 'href="/app/documents"' in province.get("/app/reports").text
        assert city.get("/app/documents").status_code == 404
        assert "/app/documents" not in city.get("/app/reports").text
    finally:
        for path in written:
            shutil.rmtree(path.parent, ignore_errors=True)

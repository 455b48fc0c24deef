"""What helps while talking: articles found by service type and words; complaint types suggested and corrected."""

import re
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from sqlalchemy import Engine, select

from cli.api import ModelSuggester
from core.database import session_scope
from crm_api.knowledge.models import KnowledgeArticle
from crm_api.knowledge.service import load_delivered
from crm_api.suggestions.models import ComplaintSuggestion
from crm_api.suggestions.port import SOCKET
from tests.crm_api.conftest import Client
from tests.crm_api.world import World

SUGGEST = "/api/v1/complaint-type-suggestions"
NO_PICTURE = "signal.digital_tv.no_picture"


def test_articles_are_found_by_service_type_and_words_best_first(client: Client) -> None:
    supervisor, agent = client("supervisor"), client("agent")
    for title, body, code in (
        ("机顶盒重启步骤", "断电十秒后再开机。", "complaint"),
        ("营业厅地址", "机顶盒可在营业厅更换。", None),
        ("资费说明", "基本收视维护费每月 26 元。", "fee_query"),
        ("100% discount_rules", "None today.", None),
    ):
        made = supervisor.post("/api/v1/knowledge", json={"title": title, "body": body, "service_type_code": code})
        assert made.status_code == 201, made.text

    def titles(query: str) -> list[str]:
        rows = agent.get(f"/api/v1/knowledge{query}").json()
        # Beside what is delivered with every store.
        return [row["title"] for row in rows if row["changed_by"] != "system"]

    assert titles("?text=客户说机顶盒没反应&service_type=complaint") == ["机顶盒重启步骤", "营业厅地址"]
    assert titles("?service_type=complaint.signal&kind=article")[0] == "机顶盒重启步骤"
    assert "资费说明" not in titles("?service_type=complaint")
    assert titles("?text=discount") == ["100% discount_rules"]
    assert titles("?text=%25%25") == [], "wildcards are taken literally"
    assert titles("?text=机顶盒&language=en") == []
    assert agent.post("/api/v1/knowledge", json={"title": "x", "body": "y"}).status_code == 403


def test_an_article_is_rewritten_only_by_who_read_it_and_retired(web: Client) -> None:
    supervisor = web("supervisor")
    body = {"title": "营业时间", "body": "8:30 至 18:00"}
    path = f"/api/v1/knowledge/{supervisor.post('/api/v1/knowledge', json=body).json()['id']}"
    tag = supervisor.get(path).headers["etag"]
    newer = body | {"body": "9:00 至 18:00"}
    assert supervisor.put(path, json=newer).status_code == 428
    assert supervisor.put(path, json=newer, headers={"If-Match": tag}).json()["version"] == 2
    assert supervisor.put(path, json=body, headers={"If-Match": tag}).status_code == 412
    assert supervisor.delete(path).status_code == 204
    assert supervisor.get(path).status_code == 404


def test_every_version_of_an_article_is_kept(client: Client) -> None:
    supervisor, agent = client("supervisor"), client("agent")
    path = f"/api/v1/knowledge/{supervisor.post('/api/v1/knowledge', json={'title': 'a', 'body': '一'}).json()['id']}"
    changed = supervisor.put(path, json={"title": "a", "body": "二"}, headers={"If-Match": "*"})
    assert changed.status_code == 200, changed.text
    kept = agent.get(f"{path}/versions").json()
    assert [(row["version"], row["body"], row["changed_by"]) for row in kept] == [
        (2, "二", "supervisor"),
        (1, "一", "supervisor"),
    ]


def test_a_text_module_is_written_on_its_page_and_serves_the_desk(web: Client) -> None:
    supervisor, agent = web("supervisor"), web("agent")
    for browser in (supervisor, agent):
        browser.headers.update({"HX-Request": "true", "Accept-Language": "zh-CN"})
        browser.cookies.set("crm_language", "zh-CN")
    form = {"kind": "module", "language": "zh-CN", "service_type_code": "consultation", "title": "hall"}
    assert supervisor.post("/app/knowledge", data=form | {"title": "Not Code", "body": "x"}).status_code == 422
    made = supervisor.post("/app/knowledge", data=form | {"body": "已告知营业厅地址。"})
    assert "已保存" in made.text
    number = re.search(r"/app/knowledge/(\d+)\"", made.text)
    assert number is not None
    assert 'data-code="hall"' in agent.get("/app/capture").text
    path = f"/app/knowledge/{number[1]}"
    changed = supervisor.post(path, data=form | {"body": "已告知地址与电话。", "version": "1"})
    assert "已告知营业厅地址。" in changed.text, "the words before stay readable"
    assert supervisor.post(path, data=form | {"body": "旧", "version": "1"}).status_code == 412
    assert "已告知地址与电话。" in agent.get("/app/capture").text
    assert "<form" not in agent.get(path).text.partition("<h1")[2]
    assert agent.post(path, data=form | {"body": "x", "version": "2"}).status_code == 403
    assert "已停用" in supervisor.post(f"{path}/retire").text
    assert 'data-code="hall"' not in agent.get("/app/capture").text


def test_what_is_delivered_is_loaded_once_and_stays_as_people_left_it(sqlite_world: tuple[Engine, World]) -> None:
    with session_scope(sqlite_world[0]) as session:
        assert load_delivered(session) == 0
        script = session.scalars(select(KnowledgeArticle).where(KnowledgeArticle.kind == "script")).first()
        assert script is not None
        assert len(script.body.splitlines()) > 1


@pytest.fixture
def model() -> Iterator[None]:
    """A model that is sure of one type, and knows one that no longer exists."""
    found = [
        SimpleNamespace(levels=("signal", "digital_tv", "no_picture"), confidence=0.91),
        SimpleNamespace(levels=("gone", "gone", "gone"), confidence=0.05),
    ]
    SOCKET.plug(ModelSuggester(SimpleNamespace(suggest=lambda texts: [found for _ in texts])))
    yield
    SOCKET.plug(None)


def test_nothing_is_suggested_without_a_model(web: Client) -> None:
    assert web("agent").post(SUGGEST, json={"text": "无图像"}).json() == []


@pytest.mark.usefixtures("model")
def test_a_type_is_suggested_and_the_choice_is_kept(client: Client, populated: tuple[Engine, World]) -> None:
    agent = client("agent")
    found = agent.post(SUGGEST, json={"text": "机顶盒没有图像"}).json()
    assert [(row["code"], row["name_zh"], row["confidence"]) for row in found] == [(NO_PICTURE, "无图像", 0.91)]
    assert agent.post(SUGGEST, json={"text": "  "}).json() == []
    shown = [{"code": NO_PICTURE, "confidence": 0.91}]
    choice = {"text": "机顶盒没有图像", "suggested": shown, "chosen_code": "signal.digital_tv.freezing"}
    assert agent.post(f"{SUGGEST}/choices", json=choice).status_code == 204
    assert agent.post(f"{SUGGEST}/choices", json=choice | {"chosen_code": "none"}).status_code == 422
    foreign = {"ticket_id": populated[1][("work", "foreign")]}
    assert client("baoji_handler").post(f"{SUGGEST}/choices", json=choice | foreign).status_code == 404
    with session_scope(populated[0]) as session:
        kept = session.scalars(select(ComplaintSuggestion)).one()
        assert (kept.chosen_code, kept.suggested) == ("signal.digital_tv.freezing", shown)
        assert "机顶盒" not in str(vars(kept))

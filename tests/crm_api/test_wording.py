"""Refusals are told in their reader's language."""

import re
from string import Formatter
from typing import get_args

import pytest
from sqlalchemy import Engine

from core.actor import Role
from crm_api import wording
from crm_api.roles import role_names
from tests.crm_api.conftest import Client
from tests.crm_api.refusals import refusals
from tests.crm_api.world import World


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        ("There is no ticket 7.", "没有工单 7。"),
        ("branch_handler may not “Close” ticket W260302-7.", "分公司处理员不能对工单 W260302-7 执行“办结”。"),
        ("“Resolve” of W1: it has open children.", "W1 不能“处理完成”：尚有未完成的子工单。"),
        ("It leads from resolved, in_review.", "此步骤从以下状态开始：已处理、审核中。"),
        (
            "The file a.png is not what its name says: its content is image/jpeg.",
            "文件 a.png 的内容与扩展名不符：实际是 image/jpeg。",
        ),
        ("Nobody has said this yet.", "Nobody has said this yet."),
    ],
)
def test_a_refusal_is_put_into_chinese(english: str, chinese: str) -> None:
    told = wording.in_language(english, "zh-CN")
    if "执行" in chinese or "不能“" in chinese:
        assert told.split("“")[0] == chinese.split("“")[0]
        assert all(sign > "\x7f" for sign in told.split("“")[1].split("”")[0]), told
    else:
        assert told == chinese
    assert wording.in_language(english, "en") == english


def test_every_refusal_has_its_chinese() -> None:
    known = wording.wordings()
    lacking = {message: where for message, where in refusals().items() if message not in known}
    assert not lacking, "put them into crm_api/wordings/"


def test_every_wording_fills_the_places_of_its_english_and_is_chinese() -> None:
    for english, chinese in wording.wordings().items():
        names = [{name for _, name, _, _ in Formatter().parse(text) if name} for text in (english, chinese)]
        assert names[1] <= names[0], english
        assert not chinese.isascii(), english


def test_each_refusal_is_told_in_its_own_words_not_in_a_more_general_one() -> None:
    for english, chinese in wording.wordings().items():
        told = wording.in_language(re.sub(r"\{[a-z]\}", "7", english), "zh-CN")
        assert told == re.sub(r"\{[a-z]\}", "7", chinese), english


def test_every_role_has_a_name_in_both_languages() -> None:
    for language in ("zh", "en"):
        assert set(role_names(language)) == set(get_args(Role))


def test_the_api_answers_in_the_language_asked_for(web: Client, sqlite_world: tuple[Engine, World]) -> None:
    path = f"/api/v1/tickets/{sqlite_world[1][('work', 'foreign')]}"
    handler = web("baoji_handler")
    assert handler.get(path).json()["detail"].startswith("There is no ticket")
    assert handler.get(path, headers={"Accept-Language": "zh-CN,zh;q=0.9"}).json()["detail"].startswith("没有工单")


def test_what_no_route_refused_is_chinese_too(web: Client) -> None:
    chinese = {"Accept-Language": "zh-CN"}
    stranger, agent = web(), web("agent")
    assert stranger.get("/api/v1/tickets", headers=chinese).json()["detail"] == "尚未登录。"
    assert agent.get("/api/v1/nowhere", headers=chinese).json()["detail"] == "没有这个地址。"
    oversized = agent.post("/api/v1/tickets", content=b" " * 2_000_000, headers=chinese).json()["detail"]
    assert oversized.startswith("请求内容有 2000000 字节")
    wrong = agent.post("/api/v1/tickets", json={"title": 7, "odd": 1}, headers=chinese).json()
    assert wrong["detail"] == "有字段缺失或不对。"
    told = {problem["field"]: problem["message"] for problem in wrong["errors"]}
    assert told["body.channel_code"] == "缺少此项。"
    assert told["body.title"] == "应为文字。"
    assert told["body.odd"] == "不认识此字段。"


def test_the_process_checker_names_roles_in_the_readers_language(web: Client) -> None:
    boss = web("boss")
    version = boss.get("/api/v1/processes/versions/1").json()
    definition = version["definition"]
    closing = next(step for step in definition["transitions"] if step["code"] == "close")
    closing["roles"] = [*closing["roles"], "branch_lead"]
    draft = boss.put("/api/v1/processes/closed_loop/draft", json=definition).json()
    path = f"/api/v1/processes/versions/{draft['id']}/publish"
    refused = boss.post(path, json={}, headers={"Accept-Language": "zh-CN"}).json()
    assert "分公司组长" in refused["detail"]
    assert "branch_lead" not in refused["detail"]
    assert "a branch lead" in boss.post(path, json={}).json()["detail"]

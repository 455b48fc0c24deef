"""Refusals are told in their reader's language."""

from string import Formatter

import pytest
from sqlalchemy import Engine

from crm_api import wording
from tests.crm_api.conftest import Client
from tests.crm_api.world import World


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        ("There is no ticket 7.", "没有工单 7。"),
        ("branch_handler may not “Close” ticket W260302-7.", "分公司处理人不能对工单 W260302-7 执行“办结”。"),
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


def test_every_wording_fills_the_places_of_its_english() -> None:
    for english, chinese in wording._content()["messages"].items():
        names = [{name for _, name, _, _ in Formatter().parse(text) if name} for text in (english, chinese)]
        assert names[1] <= names[0], english


def test_the_api_answers_in_the_language_asked_for(web: Client, sqlite_world: tuple[Engine, World]) -> None:
    path = f"/api/v1/tickets/{sqlite_world[1][('work', 'foreign')]}"
    handler = web("baoji_handler")
    assert handler.get(path).json()["detail"].startswith("There is no ticket")
    assert handler.get(path, headers={"Accept-Language": "zh-CN,zh;q=0.9"}).json()["detail"].startswith("没有工单")

"""Complaint texts: judged on the newest, corrections learnt, suggested at once; a topic that fits no type is found."""

from datetime import UTC, datetime, timedelta
from time import perf_counter

import numpy as np
import pandas as pd

from ml.complaints import fitted, judged
from ml.suggestions import Suggester
from ml.topics import emerging, words_of

SAID = {
    "signal.broadband.slow": ("宽带网速很慢", "下载速度只有几十", "看视频一直缓冲"),
    "fee.billing.double_charge": ("账单重复扣费", "这个月扣了两次费用", "多扣了钱要求退"),
    "service.repair.late": ("报修三天没有人上门", "师傅一直没来维修", "维修超时无人联系"),
    "other.other.other": ("其他问题请核实", "有事咨询", "请尽快回复"),
}
PLACES = ("凤翔区", "紫阳县", "王塔乡", "红集镇", "太集街道", "银湾镇")
NOW = datetime(2026, 6, 1, tzinfo=UTC)


def _tickets(count: int = 400, new_topic: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    kinds = [str(kind) for kind in rng.choice(list(SAID), count)]
    texts = [f"{rng.choice(PLACES)}客户反映{rng.choice(SAID[kind])}，第{number}次" for number, kind in enumerate(kinds)]
    created = [NOW - timedelta(days=float(days)) for days in np.linspace(200, 0.1, count)]
    strange = [f"{rng.choice(PLACES)}客户说云游戏手柄无法配对，第{number}次" for number in range(new_topic)]
    return pd.DataFrame(
        {
            "id": range(count + new_topic),
            "created_at": [*created, *(NOW - timedelta(days=1 + number / 2) for number in range(new_topic))],
            "text": [*texts, *strange],
            "type": [*kinds, *["other.other.other"] * new_topic],
            "corrected": False,
        }
    )


def test_the_newest_tickets_judge_and_beat_guessing() -> None:
    table = _tickets()
    told = judged(table.iloc[:320], table.iloc[320:])
    assert told["macro_f1"] > 0.9 > told["baseline_f1"]
    assert told["right"] >= 0.9


def test_what_people_corrected_is_learnt() -> None:
    table = _tickets()
    text = "云游戏手柄无法配对"
    extra = pd.DataFrame({"id": [9001], "created_at": [NOW], "text": [text], "type": ["content.on_demand.not_playing"],
                          "corrected": [True]})  # fmt: skip
    suggester = Suggester(fitted(pd.concat([table, extra], ignore_index=True)), "1")
    assert suggester.suggest(text)[0][0] == "content.on_demand.not_playing"


def test_a_suggestion_takes_milliseconds_and_no_words_get_none() -> None:
    suggester = Suggester(fitted(_tickets()), "1")
    suggester.suggest("宽带网速很慢")
    seconds = []
    for _ in range(20):
        started = perf_counter()
        found = suggester.suggest("紫阳县客户反映宽带网速很慢，请尽快上门" * 10)
        seconds.append(perf_counter() - started)
    assert np.median(seconds) < 0.05
    assert found[0][0] == "signal.broadband.slow"
    assert 0.5 < found[0][1] <= 1
    assert suggester.suggest("  ") == []


def test_a_new_topic_is_told_by_its_words_and_an_old_one_is_not() -> None:
    table = _tickets(new_topic=12)
    old = table[table["id"] < 400]
    topics = emerging(table, fitted(old), NOW)
    assert topics
    assert len(topics[0].tickets) == 12
    assert set(topics[0].tickets) == set(range(400, 412))
    assert any("手柄" in term for term in topics[0].terms)
    assert not any(char.isdigit() for term in topics[0].terms for char in term)
    assert emerging(old, fitted(old), NOW) == []


def test_numbers_never_become_words() -> None:
    assert words_of("请回电13891234567，wifi太慢") == {"请回", "回电", "请回电", "太慢", "wifi"}

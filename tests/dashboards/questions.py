# ruff: noqa: E501 - questions as people ask them, in a row each
"""Twenty questions of managers, the page that answers each, and its answer: docs/questions.md is written from here.

`python -m tests.dashboards.questions` writes the page anew from freshly simulated data.
"""

import logging
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from core.display import show
from core.i18n import LANGUAGES, Language, texts
from core.scope import PROVINCE
from core.settings import Settings
from dashboards.answers import cities_compared, comparisons, kpis, loop, quality, queues, trust
from dashboards.answers.channel_depth import cost_and_satisfaction, journeys
from dashboards.answers.channels import channel_mix
from dashboards.answers.complaint_details import complaints_by_product, repeated
from dashboards.answers.complaints import complaint_pareto, hot_spots
from dashboards.answers.overview import attention_list
from dashboards.data import Source, known
from dashboards.frame import Frame
from dashboards.scope import Viewer
from dashboards.url_state import read_view
from warehouse.publication import Publication

PAGE = Path(__file__).parents[2] / "docs" / "questions.md"
CUSTOMERS, DAYS, SEED, UNTIL = 2000, 75, 1, date(2026, 11, 8)


@dataclass(frozen=True)
class Question:
    """What a manager asks, in both languages, on which page it is answered, and how the answer is read there."""

    page: str
    zh: str
    en: str
    answer: Callable[[Frame], str]


def simulated(home: Path) -> Publication:
    """The questions' data, simulated, built and published in `home`."""
    from simulator.province import Wish
    from simulator.run import simulate
    from warehouse.build import build
    from warehouse.publish import publish

    settings = Settings(home=home)
    simulate(Wish(customers=CUSTOMERS, days=DAYS, seed=SEED, until=UNTIL), target="lake", settings=settings)
    build(settings)
    return publish(settings)


def frame_of(publication: Publication, language: Language, **params: str) -> Frame:
    """A page's frame as the province's analyst has it, with the address's parameters."""
    source = Source(publication, PROVINCE)
    held = known(source)
    assert held is not None
    view, notices = read_view(params, default_language=language, known=held)
    assert not notices
    return Frame(source, view, held, texts("dashboards", language), Viewer(PROVINCE))


def _kpi(frame: Frame, *codes: str) -> str:
    row = kpis(frame, (), codes).iloc[0]
    return ", ".join(_said(frame, code, row[code]) for code in codes)


def _said(frame: Frame, code: str, value: Any) -> str:
    return f"{frame.kpi_name(code)} {show(frame.kpi(code), value, frame.texts.language)}"


def _top(table: pd.DataFrame, by: str, *, most: bool = True) -> pd.Series:
    known_rows = table[table[by].notna()]
    return known_rows.sort_values([by, "name"], ascending=[not most, True]).iloc[0]


def _compared(frame: Frame) -> str:
    row = comparisons(frame, ["sl_negative"]).iloc[0]
    kpi, language = frame.kpi("sl_negative"), frame.texts.language
    return f"{show(kpi, row['now'], language)} ← {show(kpi, row['previous'], language)}"


def _city(frame: Frame, code: str, *, most: bool) -> str:
    cities = cities_compared(frame, [code])
    row = _top(cities[cities["city_code"].isin(list(frame.known.cities))], code, most=most)
    return f"{row['name']}, {_said(frame, code, row[code])}"


def _half_hours(frame: Frame) -> str:
    weak = [finding for finding in attention_list(frame, ["contacts"]) if finding.key == "attention.half_hours"]
    return str(weak[0].values["half_hours"]) if weak else frame.texts("attention.none")


def _by_phone(frame: Frame) -> str:
    row = channel_mix(frame).set_index("code").loc["voice"]
    return f"{row['name']} {row['share']:.1%} ← {row['share_before']:.1%}"


def _price(frame: Frame) -> str:
    table = cost_and_satisfaction(frame)
    dear, cheap = _top(table, "yuan_each"), _top(table, "yuan_each", most=False)
    return " / ".join(f"{row['name']} {row['yuan_each']:.2f}" for row in (dear, cheap))


def _content(frame: Frame) -> str:
    table = cost_and_satisfaction(frame)
    row = _top(table[table["contacts"] >= 30], "satisfaction")
    return f"{row['name']} {float(row['satisfaction']):.2f}"


def _next(frame: Frame) -> str:
    table = journeys(frame)
    row = table[table["channel_key"] == "web_chat"].sort_values(["value", "next_key"], ascending=[False, True]).iloc[0]
    return f"{row['row']} → {row['column']}: {row['value']} ({row['share']:.1%})"


def _complaint(frame: Frame, level: int) -> str:
    row = complaint_pareto(frame, None, level=level).iloc[0]
    return f"{row['name']}: {row['value']:,} ({row['share']:.1%})"


def _product(frame: Frame) -> str:
    row = _top(complaints_by_product(frame, None), "value")
    return f"{row['name']}: {row['value']:,.0f}"


def _again(frame: Frame) -> str:
    row = repeated(frame, None).iloc[0]
    return f"{row['name']}: {row['value']:.1%}"


def _together(frame: Frame) -> str:
    table = hot_spots(frame, None)
    if table.empty:
        return frame.texts("card.hot_spots.empty")
    row = table.iloc[0]
    return f"{row['day']} {row['city']} {row['township']}, {row['type']}: {row['complaints']}"


def _weak_queue(frame: Frame) -> str:
    row = _top(queues.queues_compared(frame), "sl_negative", most=False)
    return f"{row['name']}, {_said(frame, 'sl_negative', row['sl_negative'])}"


def _busiest(frame: Frame) -> str:
    table = queues.by_half_hour(frame, "offered")
    row = table.sort_values(["value", "half_hour"], ascending=[False, True]).iloc[0]
    return f"{row['half_hour']} ({row['value']:,.0f})"


def _closed(frame: Frame) -> str:
    table = loop.milestones(frame).sort_values("order")
    first, last = table.iloc[0], table.iloc[-1]
    return f"{first['name']} {first['value']:,.0f} → {last['name']} {last['value']:,.0f}"


def _longest(frame: Frame) -> str:
    row = _top(loop.steps(frame), "hours")
    return f"{row['name']}: {row['hours']:.1f} h"


def _resolved(frame: Frame) -> str:
    row = _top(quality.resolved_by(frame, "service_type"), "value", most=False)
    return f"{row['name']}: {float(row['value']):.1%}"


def _trust(frame: Frame) -> str:
    table = trust.along_the_way(frame)
    return f"{int(table['mart_rows'].sum()):,} = {int(table['staging_rows'].sum()):,} ({int(table['days_differing'].sum())})"


QUESTIONS: dict[str, Question] = {
    "contacts": Question("overview", "近四周有多少接触？", "How many contacts were there in the last four weeks?",
                         lambda frame: _kpi(frame, "contacts")),
    "service": Question("overview", "电话接得够快吗，比上一时段好还是差？", "Are calls answered fast enough, and better than before?", _compared),
    "city_complaints": Question("overview", "哪个地市每千户投诉最多？", "Which city has most complaints per 1,000 customers?",
                                lambda frame: _city(frame, "complaint_rate", most=True)),
    "half_hours": Question("overview", "哪些半小时让最多的人久等？", "In which half-hours do most callers wait too long?", _half_hours),
    "by_phone": Question("access_channel", "电话占多大比例，比以前多还是少？", "What share comes by phone, and is it more than before?", _by_phone),
    "price": Question("access_channel", "哪个渠道每次最贵，哪个最便宜（元）？", "Which channel costs most a contact, which least (yuan)?", _price),
    "content": Question("access_channel", "哪个渠道的客户最满意？", "On which channel are customers most content?", _content),
    "next": Question("access_channel", "用过在线客服的人七天内又从哪里来？", "After web chat, where do customers come next within seven days?", _next),
    "complaint": Question("complaint_type", "客户投诉最多的是哪一大类？", "What do customers complain about most?", lambda frame: _complaint(frame, 1)),
    "complaint_detail": Question("complaint_type", "具体是哪个问题最多？", "Which single problem is the most frequent?", lambda frame: _complaint(frame, 3)),
    "product": Question("complaint_type", "哪项业务的投诉最多？", "Which product is complained of most?", _product),
    "again": Question("complaint_type", "哪类问题最容易再次投诉？", "Which kind of complaint comes again most?", _again),
    "together": Question("complaint_type", "哪里一天内集中投诉同一问题？", "Where did one problem come many times in a day?", _together),
    "queue": Question("queue_performance", "哪个队列最跟不上？", "Which queue keeps up least?", _weak_queue),
    "busiest": Question("queue_performance", "一天中哪个半小时来电最多？", "Which half-hour of the day brings most callers?", _busiest),
    "seats": Question("seat_utilisation", "座席用了多少，坐席人员有多忙？", "How much are the seats used, and how busy are agents?",
                      lambda frame: _kpi(frame, "seat_utilisation", "occupancy")),
    "closed": Question("closed_loop", "派下去的工单有多少已经归档？", "Of the tickets sent out, how many are closed?", _closed),
    "longest": Question("closed_loop", "工单在哪一步停得最久？", "In which step do tickets stand longest?", _longest),
    "resolved": Question("service_quality", "哪类服务最少一次解决？", "Which kind of service is least often resolved at once?", _resolved),
    "trust": Question("data_quality", "图表里的数据和入库的一样多吗（不一致的天数）？", "Do the figures hold all the rows that came in (days that differ)?", _trust),
}  # fmt: skip


def page_text(publication: Publication) -> str:
    """docs/questions.md, with the answers of this publication."""
    frames = {language: frame_of(publication, language) for language in LANGUAGES}
    lines = [
        "# Twenty questions of managers",
        "",
        "What the pages answer without SQL. The answers are those of a demo province of a fixed seed and day:",
        f"`crm simulate --customers {CUSTOMERS} --days {DAYS} --seed {SEED} --until {UNTIL} --to lake`, then `crm build` and"
        " `crm publish`;",
        "the pages as they open (the last 28 days, the whole province, against the 28 days before, which stand after ←).",
        "Each is asked and compared by a test (`tests/dashboards/test_questions.py`);"
        " `python -m tests.dashboards.questions` writes this page anew.",
        "",
        "| | question | 问题 | page | answer | 答案 |",
        "|---|---|---|---|---|---|",
    ]
    for number, question in enumerate(QUESTIONS.values(), start=1):
        zh, en = (question.answer(frames[language]) for language in ("zh-CN", "en"))
        page = f"{frames['en'].texts(f'page.{question.page}')} {frames['zh-CN'].texts(f'page.{question.page}')}"
        lines.append(f"| {number} | {question.en} | {question.zh} | {page} | {en} | {zh} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    with tempfile.TemporaryDirectory(prefix="crm-questions-") as folder:
        PAGE.write_text(page_text(simulated(Path(folder) / "home")), encoding="utf-8")

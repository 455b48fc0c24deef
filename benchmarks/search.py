"""Finding a customer on PostgreSQL as an agent types: p95 of each way of searching, and filling the search keys."""

import random
from collections.abc import Iterator
from statistics import quantiles
from time import perf_counter
from typing import Any

from sqlalchemy import Engine, select, text

from core.actor import Actor
from core.database import make_engine, session_scope
from crm_api.customers.models import Account, Customer, CustomerAddress, CustomerPhone, Subscription
from crm_api.customers.search import by_number, search
from crm_api.customers.service import refresh_search_keys
from crm_api.organisation.models import OrgUnit
from crm_api.reference.service import load_reference
from crm_api.store import migrate

_CUSTOMERS = {"small": 100_000, "province": 2_600_000}
_SAMPLES = 200
_AIM_MS = "< 100"
SURNAMES = (
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎"
    "余潘杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文"
)
GIVEN = (
    "伟芳娜秀英敏静丽强磊军洋勇艳杰娟涛明超霞平刚桂兰华红玉梅国建文志海峰晓春燕辉鹏飞雪琴云莲真环荣爱妹香"
    "月莺媛瑞凡佳嘉琼勤珍贞莉桦叶璧璐娅琦晶妍茜秋珊莎锦黛青倩婷姣婉娴瑾颖露瑶怡婵雁蓓纨仪荷丹蓉眉君琰"
)
ROADS = (
    "高新一路 高新二路 科技路 人民中路 经二路 解放路 建国路 中山街 新华街 滨河大道 长安北路 友"
    "谊西路 劳动路 东风路 和平路 文化路 朝阳街 胜利路 育才路 站前路"
)

FILL = (
    "SELECT setseed(0.96766)",
    """
INSERT INTO customers (id, code, kind, key_level, status, unit_id, name, identity_number, registered_at)
SELECT i, 'C' || lpad(i::text, 8, '0'), 'person',
       CASE WHEN random() < 0.02 THEN 'gold' ELSE 'none' END, 'active',
       (SELECT ids[1 + (i % array_length(ids, 1))]
          FROM (SELECT array_agg(id ORDER BY id) AS ids FROM org_units WHERE kind = 'city') AS cities),
       substr(:surnames, 1 + floor(power(random(), 2) * length(:surnames))::int, 1)
         || substr(:given, 1 + floor(random() * length(:given))::int, 1)
         || CASE WHEN random() < 0.75 THEN substr(:given, 1 + floor(random() * length(:given))::int, 1) ELSE '' END,
       (610000000000000000 + i)::text, timestamptz '2015-01-01' + i * interval '1 min'
FROM generate_series(1, :rows) AS i
""",
    """
INSERT INTO customer_phones (customer_id, e164, kind, is_primary, do_not_call)
SELECT i, '+861' || (3000000000 + (i * 7919) % 6999999999)::text, 'mobile', true, false
FROM generate_series(1, CAST(:rows AS bigint)) AS i
""",
    """
INSERT INTO customer_addresses (customer_id, detail, is_primary)
SELECT i, (string_to_array(:roads, ' '))[1 + i % 20] || (1 + i % 199) || '号' || (1 + i % 19) || '号楼'
          || (1 + i % 4) || '单元' || (101 + i % 600) || '室', true
FROM generate_series(1, :rows) AS i
""",
    """
INSERT INTO accounts (id, customer_id, number, status, balance_fen, opened_at)
SELECT i, i, '96766' || lpad(i::text, 10, '0'), 'active', 0, timestamptz '2015-01-01'
FROM generate_series(1, :rows) AS i
""",
    """
INSERT INTO subscriptions (account_id, product_code, smart_card, monthly_fee_fen, points, started_at)
SELECT i, 'digital_tv', (100000000000 + i::bigint * 33333)::text, 2600, 1, timestamptz '2015-01-01'
FROM generate_series(1, :rows) AS i
""",
)


def _prepare(url: str, rows: int) -> Engine:
    engine = make_engine(url=url)
    migrate(engine)
    with session_scope(engine) as session:
        load_reference(session)
    values = {"rows": rows, "surnames": SURNAMES, "given": GIVEN, "roads": ROADS}
    with engine.begin() as connection:
        for statement in FILL:
            query = text(statement)
            connection.execute(query, {name: values[name] for name in query.compile().params})
    return engine


def _analyze(engine: Engine) -> None:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))


def _samples(engine: Engine, rows: int, chance: random.Random) -> dict[str, list[str]]:
    """What agents type, taken from customers who exist."""
    ids = [chance.randint(1, rows) for _ in range(_SAMPLES)]
    with session_scope(engine) as session:

        def values(column: Any, key: Any) -> list[str]:
            return list(session.scalars(select(column).where(key.in_(ids))))

        names = values(Customer.name, Customer.id)
        phones = [phone.removeprefix("+86") for phone in values(CustomerPhone.e164, CustomerPhone.customer_id)]
        addresses = values(CustomerAddress.detail, CustomerAddress.customer_id)
        accounts = values(Account.number, Account.customer_id)
        cards = values(Subscription.smart_card, Subscription.account_id)
    initials = ["".join(chance.choices("zlwcyhgxsj", k=chance.choice((2, 3)))) for _ in range(_SAMPLES)]
    return {
        "number, whole": [f"0086 {phone[:3]}-{phone[3:7]} {phone[7:]}" for phone in phones],
        "number, as one types": [phone[: chance.randint(4, 10)] for phone in phones],
        "account": accounts,
        "smart card": cards,
        "name": names,
        "surname only": list(SURNAMES),
        "pinyin initials": initials,
        "address": addresses,
        "part of an address": [address[: chance.randint(3, 6)] for address in addresses],
        "name and address": [f"{name} {address[:4]}" for name, address in zip(names, addresses, strict=False)],
        "nothing there": ["龘龘龘", "zzqxj", "13999999999", "不存在的地方"] * 20,
    }


def _p95(engine: Engine, actor: Actor, typed: list[str]) -> float:
    took = []
    for wanted in typed:
        with session_scope(engine) as session:
            began = perf_counter()
            search(session, actor, wanted)
            took.append((perf_counter() - began) * 1000)
    return quantiles(took, n=20)[-1]


def _measure(engine: Engine, rows: int) -> Iterator[dict[str, Any]]:
    began = perf_counter()
    written = refresh_search_keys(engine)
    rate = written / (perf_counter() - began)
    yield {"name": "search keys after a bulk load", "value": rate, "unit": "customers/s", "aim": "", "note": ""}
    _analyze(engine)
    began = perf_counter()
    refresh_search_keys(engine)
    took = perf_counter() - began
    yield {"name": "search keys, nothing stale", "value": took, "unit": "s", "aim": "", "note": "each start of crm api"}
    province = Actor(username="bench", role="agent", unit_id=1, unit_kind="province")
    with session_scope(engine) as session:
        baoji = session.scalars(select(OrgUnit.id).where(OrgUnit.code == "baoji")).one()
    branch = Actor(username="bench", role="branch_handler", unit_id=baoji, unit_kind="city", city_unit_id=baoji)
    samples = _samples(engine, rows, random.Random(96766))
    for who, actor in (("province", province), ("one city", branch)):
        for kind, typed in samples.items():
            value = _p95(engine, actor, typed)
            yield {"name": f"{kind} ({who})", "value": value, "unit": "ms p95", "aim": _AIM_MS, "note": f"of {rows:,}"}
    took_ms = []
    for wanted in samples["number, whole"]:
        with session_scope(engine) as session:
            began = perf_counter()
            by_number(session, province, wanted)
            took_ms.append((perf_counter() - began) * 1000)
    value = quantiles(took_ms, n=20)[-1]
    yield {"name": "screen pop", "value": value, "unit": "ms p95", "aim": _AIM_MS, "note": f"of {rows:,}"}


def run(size: str) -> list[dict[str, Any]]:
    """Figures on PostgreSQL; `size` is small (100,000 customers) or province (2.6 million)."""
    # The servers of the tests: a cluster in a temporary folder.
    from tests.servers import postgresql_cluster

    with postgresql_cluster() as url:
        engine = _prepare(url, _CUSTOMERS[size])
        try:
            return list(_measure(engine, _CUSTOMERS[size]))
        finally:
            engine.dispose()

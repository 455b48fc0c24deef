"""What the customer pages ask: segments and their migration, who may leave, next offers, key levels."""

import pandas as pd

from core.i18n import name_field
from dashboards.frame import Frame

#: Outside the segments: new before, lost after.
OUTSIDE = -1
#: Groups of customers shown, those with the highest fees.
MOST_GROUPS = 200


def _own(frame: Frame, table: pd.DataFrame, *stems: str) -> pd.DataFrame:
    """The columns `<stem>_zh`, `<stem>_en` as `<stem>` in the page's language."""
    ending = "zh" if frame.texts.language == "zh-CN" else "en"
    table = table.rename(columns={f"{stem}_{ending}": stem for stem in stems})
    return table.drop(columns=[f"{stem}_{other}" for stem in stems for other in ("zh", "en") if other != ending])


def segments(frame: Frame) -> pd.DataFrame:
    """A row a segment: `segment`, `name`, `differs`, `action`, `jaccard`, `verdict`, `customers`, `share`."""
    table = _own(frame, frame.source.rows("segments", city=frame.city), "name", "differs", "action")
    return table.assign(share=table["customers"] / max(table["customers"].sum(), 1))


def segment_moves(frame: Frame, known: pd.DataFrame) -> pd.DataFrame:
    """Customers from segment to segment: `before`, `after`, their numbers, `customers`, `share` of those before."""
    text = frame.texts
    names = dict(zip(known["segment"], known["name"], strict=True))
    table = frame.source.rows("segment_moves", city=frame.city)
    total = table.groupby("from_segment")["customers"].transform("sum")
    return pd.DataFrame(
        {
            "before": [names.get(each, text("customers.new")) for each in table["from_segment"]],
            "after": [names.get(each, text("customers.lost")) for each in table["to_segment"]],
            "customers": table["customers"],
            "share": table["customers"] / total,
            "from_segment": table["from_segment"],
            "to_segment": table["to_segment"],
        }
    )


def remedies(frame: Frame) -> pd.DataFrame:
    """At risk by remedy: `name`, `remedy_key`, `customers`, `yuan_at_risk`, `value` (yuan), `before` (NULL)."""
    table = frame.source.rows("retention_remedies", city=frame.city)
    names = [frame.texts(f"remedy.{each}") for each in table["remedy"]]
    named = table.rename(columns={"remedy": "remedy_key"})
    return named.assign(name=names, value=table["yuan_at_risk"], before=float("nan"))


def retention(frame: Frame) -> pd.DataFrame:
    """Whom to keep first: customer, city, probability, yuan at risk, reasons, remedy."""
    cities = frame.unit_names()
    table = _own(frame, frame.source.rows("retention_list", city=frame.city), "reason_1", "reason_2")
    return pd.DataFrame(
        {
            "customer_key": table["customer_key"],
            "city": [cities.get(code, code) for code in table["city_code"]],
            "leaves": (100 * table["probability"]).round(1),
            "yuan_at_risk": table["yuan_at_risk"].round(0),
            "why": table["reason_1"].fillna("").str.cat(table["reason_2"].fillna(""), sep=" · ").str.strip(" ·"),
            "remedy": [frame.texts(f"remedy.{each}") for each in table["remedy"]],
        }
    )


def next_offers(frame: Frame) -> pd.DataFrame:
    """By `product`, `product_key`: `customers`, `likely` (mean propensity, per cent), `margin` (yuan a year)."""
    table = frame.source.rows("next_offers", city=frame.city)
    return pd.DataFrame(
        {
            "product": table[name_field(frame.texts.language)],
            "customers": table["customers"],
            "likely": (100 * table["probability"]).round(1),
            "margin": table["expected_margin_yuan"].round(0),
            "product_key": table["product_code"],
        }
    )


def key_changes(frame: Frame) -> pd.DataFrame:
    """Proposed levels: `from_level`, `to_level`, their codes `from_key`, `to_key`, `customers`, `points` (mean)."""
    table, text = frame.source.rows("key_changes", city=frame.city), frame.texts
    return pd.DataFrame(
        {
            "from_level": [text(f"level.{each}") for each in table["from_level"]],
            "to_level": [text(f"level.{each}") for each in table["to_level"]],
            "customers": table["customers"],
            "points": table["score"].round(0),
            "from_key": table["from_level"],
            "to_key": table["to_level"],
        }
    )


def key_customers(frame: Frame) -> pd.DataFrame:
    """Key customers by level, over the months of the period: what they met.

    Columns: `level_name`, `level_key`, `customers`, `contacts`, `abandoned`, `complaints`, `per_customer` (complaints
    a customer), `tickets`, `late`, `reopened`.
    """
    table = frame.source.rows_of("key_customers", frame.view.period, city=frame.city)
    counts = ["contacts", "abandoned", "complaints", "tickets", "late", "reopened"]
    known = table.fillna(dict.fromkeys(counts, 0)).astype(dict.fromkeys(counts, int))
    return pd.DataFrame(
        {
            "level_name": [frame.texts(f"level.{each}") for each in known["key_level"]],
            "level_key": known["key_level"],
            "customers": known["customers"],
            **{name: known[name] for name in counts[:3]},
            "per_customer": (known["complaints"] / known["customers"]).round(2),
            **{name: known[name] for name in counts[3:]},
        }
    )


def customer_groups(frame: Frame) -> pd.DataFrame:
    """Groups of customers by fees: what their members met in the period, shared out where one is in several.

    Columns: `group_name`, `group_code`, `city`, `members` (now), `contacts`, `complaints`, `yuan_a_year` (their running
    fees over twelve months).
    """
    cities = frame.unit_names()
    table = frame.source.rows_of("customer_groups", frame.view.period, city=frame.city, most=MOST_GROUPS)
    return pd.DataFrame(
        {
            "group_name": table["title"],
            "group_code": table["code"],
            "city": [cities.get(code, code) for code in table["city_code"]],
            "members": table["members"],
            "contacts": table["contacts"].astype(float).round(1),
            "complaints": table["complaints"].astype(float).round(1),
            "yuan_a_year": table["yuan"].astype(float).round(0),
        }
    )


def models(frame: Frame) -> pd.DataFrame:
    """The versions: the columns of the query, with `card` and `promoted_because` in the page's language."""
    return _own(frame, frame.source.rows("models"), "card", "promoted_because")


def has_leaving_model(frame: Frame) -> bool:
    """Whether a model of leaving scores the customers now."""
    rows = frame.source.rows("models")
    return bool(((rows["model"] == "churn") & rows["is_champion"]).any())


def emerging_topics(frame: Frame) -> pd.DataFrame:
    """Complaint texts that fit no type: `terms`, `tickets`, `first_seen`, `last_seen`."""
    table = frame.source.rows("emerging_topics")
    days = {name: pd.to_datetime(table[name]).dt.date for name in ("first_seen", "last_seen")}
    return table.assign(**days)

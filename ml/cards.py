"""Model cards: one page that a manager can read, in Chinese and in English."""

from typing import Any

from core.i18n import LANGUAGES, Texts, texts
from ml.customers.scores import feature_words
from ml.registry import Entry

#: Ratio of two shares of the margin up to which they are told as alike.
_AS_WELL = 1.01
_PURPOSES = ("churn", "offer", "key_customer", "segment", "complaints", "volume")


def cards(entry: Entry) -> dict[str, str]:
    """The card of a version in each language, as Markdown."""
    return {language: _card(entry, texts("ml", language)) for language in LANGUAGES}


def kind_of(model: str) -> str:
    """The kind of a model: every offer has a model of the kind `offer`."""
    return "offer" if model.startswith("offer_") else model


def _card(entry: Entry, said: Texts) -> str:
    kind = kind_of(entry.model)
    name = entry.words.get("", [entry.model, entry.model])[0 if said.language == "zh-CN" else 1]
    lines = [f"# {name}", "", said(f"card.{kind}.purpose"), ""]
    lines += [f"## {said('card.result')}", "", *_results(entry, said, kind), ""]
    learnt = _drivers(entry, said)
    if learnt:
        lines += [f"## {said('card.drivers')}", "", *learnt, ""]
    lines += [f"## {said('card.limits')}", "", said(f"card.{kind}.limits"), ""]
    lines += [f"## {said('card.origin')}", ""]
    lines += [
        f"- {said('card.version')}: `{entry.version}`",
        f"- {said('card.as_of')}: {entry.as_of}",
        f"- {said('card.rows')}: {entry.data.get('rows', 0):,}",
        f"- {said('card.hashes')}: {entry.data_hash} · {entry.code_version}",
    ]
    return "\n".join(lines) + "\n"


def _results(entry: Entry, said: Texts, kind: str) -> list[str]:
    m: dict[str, Any] = entry.metrics
    if kind in ("churn", "offer"):
        tenth = min(1.0, m["lift_10"] * m["rate"])
        lines = [
            said("card.of_hundred", found=f"{100 * tenth:.1f}", drawn=f"{100 * m['rate']:.1f}"),
            said("card.auc", auc=f"{m['auc']:.3f}", baseline=said(f"card.{kind}.baseline"),
                 other=f"{m['baseline_auc']:.3f}", low=f"{m['gain_low']:+.3f}", high=f"{m['gain_high']:+.3f}"),
            said("card.calibration", mean=f"{100 * m['mean_probability']:.2f}", rate=f"{100 * m['rate']:.2f}"),
        ]  # fmt: skip
        if kind == "churn":
            data = entry.data
            lines.append(said("card.window", gap=data["gap_days"], last=data["gap_days"] + data["horizon_days"],
                              judged=data["judged_at"]))  # fmt: skip
        lines.append(said("card.beats") if entry.beats_baseline else said("card.does_not_beat"))
    elif kind == "segment":
        lines = [said("card.segment.rand", rand=f"{m['rand']:.2f}", low=f"{m['rand_low']:.2f}"),
                 said("card.segment.fidelity", share=f"{100 * m['tree_fidelity']:.0f}")]  # fmt: skip
        zh = said.language == "zh-CN"
        lines += [
            f"{each['name_zh' if zh else 'name_en']} — {100 * each['share']:.0f} % · "
            f"{each['differs_zh' if zh else 'differs_en']} · {each['action_zh' if zh else 'action_en']}"
            for each in m["segments"]
        ]
    elif kind == "key_customer":
        lines = _of_key_customers(m, said)
    elif kind == "complaints":
        lines = [said("card.complaints.coverage", coverage=f"{100 * m['coverage']:.0f}",
                      right=f"{100 * m['right']:.0f}", classes=m["classes"]),
                 said("card.complaints.f1", right=f"{100 * m['accuracy']:.0f}",
                      frequent=f"{100 * m['baseline_accuracy']:.0f}", f1=f"{m['macro_f1']:.3f}",
                      baseline=f"{m['baseline_f1']:.3f}")]  # fmt: skip
    else:
        lines = [said("card.volume.error", wape=f"{100 * m['wape']:.1f}", baseline=f"{100 * m['baseline_wape']:.1f}"),
                 said("card.volume.coverage", coverage=f"{100 * m['coverage_80']:.0f}")]  # fmt: skip
    return [f"- {line}" for line in lines]


def _of_key_customers(m: dict[str, Any], said: Texts) -> list[str]:
    score, revenue = m["margin_share_score"], m["margin_share_revenue"]
    lines = [said("card.key_customer.share", score=f"{100 * score:.1f}", revenue=f"{100 * revenue:.1f}")]
    if "margin_share_best" in m:
        lines.append(said("card.key_customer.best", best=f"{100 * m['margin_share_best']:.1f}"))
    verdict = "ahead" if score > _AS_WELL * revenue else "as_well" if score >= revenue / _AS_WELL else "behind"
    return [*lines, said(f"card.key_customer.{verdict}")]


def _drivers(entry: Entry, said: Texts) -> list[str]:
    names = feature_words()
    language = "zh" if said.language == "zh-CN" else "en"
    return [f"- {names[column][language]}" for column in entry.metrics.get("drivers", {}) if column in names]

"""`crm train`: learns every model from the feature table, judges it, registers it, and decides who scores."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from core.errors import BadInputError, CrmError
from core.i18n import as_language, texts
from core.settings import Settings, get_settings
from core.time import to_local, utc_now
from ml import registry
from ml.cards import cards
from ml.customers import churn, key_customers, offers, segmentation
from ml.customers.churn import TooLittleDataError
from ml.customers.judging import auc_gain
from ml.features import LEARNT_ROWS, Span, build_features, connect, feature_columns, read_features, span
from ml.parameters import parameters
from ml.provenance import code_version, data_hash
from ml.registry import Entry

Tell = Callable[[str], None]
CUSTOMER_MODELS = ("churn", "offers", "segment", "key_customer")
ALL = (*CUSTOMER_MODELS, "complaints", "volume")


@dataclass(frozen=True)
class Outcome:
    """What became of one model's training: its version, whether it scores now, and why (not)."""

    model: str
    version: str
    is_champion: bool
    note: str
    metrics: dict[str, Any]


def cities(settings: Settings) -> dict[str, tuple[str, str]]:
    """Names of the cities by code."""
    with connect(settings) as connection:
        rows = connection.execute(
            "select distinct city_code, city_name_zh, city_name_en from marts.dim_branch"
        ).fetchall()
    return {code: (zh, en) for code, zh, en in rows}


def train(
    settings: Settings | None = None, wanted: Sequence[str] = (), *, by: str = "crm train", tell: Tell = print
) -> list[Outcome]:
    """Train the models named (default: all); what cannot be learnt yet is told, and the others go on.

    Raises:
        BadInputError: an unknown model.
        CrmError: nothing was built.
    """
    settings = settings or get_settings()
    unknown = [name for name in wanted if name not in ALL]
    if unknown:
        raise BadInputError(f"There is no model {unknown[0]!r}.", f"Name some of {', '.join(ALL)}.")
    chosen = [name for name in ALL if not wanted or name in wanted]
    trainer = _Trainer(settings, by, tell)
    results: list[Outcome] = []
    if set(chosen) & set(CUSTOMER_MODELS):
        trainer.prepare()
    for name in chosen:
        tell(name)
        try:
            results += getattr(trainer, name)()
        except (TooLittleDataError, registry.NoModelError) as error:
            results.append(Outcome(name, "", False, str(error), {}))
    return results


class _Trainer:
    """One run of training: the span of the data, the dates, and one method a model."""

    def __init__(self, settings: Settings, by: str, tell: Tell) -> None:
        self.settings, self.by, self.tell = settings, by, tell
        self.span: Span | None = None
        self.plan: churn.Plan | None = None

    def prepare(self) -> None:
        """Build the features of every date that is needed."""
        self.span = span(self.settings)
        dates = [self.span.next_day]
        try:
            self.plan = churn.plan(self.span)
            dates += self.plan.dates
        except TooLittleDataError:
            self.plan = None
        self.tell("features")
        build_features(self.settings, dates, most_rows=LEARNT_ROWS)
        self.cities = cities(self.settings)

    def churn(self) -> list[Outcome]:
        """Who leaves."""
        planned = self.plan or churn.plan(self._span())
        model, told, rows = churn.learn(self.settings, planned)
        data = {
            "rows": len(rows),
            "gap_days": planned.gap,
            "horizon_days": planned.horizon,
            "learnt_at": [day.isoformat() for day in planned.learn],
            "judged_at": planned.judge.isoformat(),
        }
        judged, outcome = churn.labelled(self.settings, planned.judge, planned)
        words = churn.words(feature_columns(judged), self.cities, planned.horizon)
        beats = told["gain"] > 0 and told["gain_low"] > 0
        entry = self._entry(churn.MODEL, max(planned.learn), rows, data, told, words, beats)
        return [self._register(entry, model, lambda old: _paired(old, model, judged, outcome))]

    def offers(self) -> list[Outcome]:
        """Who resembles the takers of each product."""
        frame = read_features(self.settings, self._span().next_day, most_rows=LEARNT_ROWS)
        found = []
        for product in offers.products():
            try:
                model, told, rows = offers.learn(frame, product)
            except TooLittleDataError as error:
                found.append(Outcome(offers.model_name(product), "", False, str(error), {}))
                continue
            words = offers.words(product, feature_columns(frame), self.cities)
            entry = self._entry(
                offers.model_name(product), self._span().next_day, rows, {"rows": len(rows)}, told, words, True
            )
            # Peers' rates are always an honest model: a newer one replaces an older one.
            found.append(self._register(entry, model, lambda _old: (0.0, 0.0)))
        return found

    def segment(self) -> list[Outcome]:
        """Behaviour patterns; segments that stay keep their numbers."""
        as_of = self._span().next_day
        frame = read_features(self.settings, as_of, most_rows=segmentation.MOST_ROWS)
        before = None
        if registry.champion(self.settings, segmentation.MODEL) is not None:
            before = registry.load(self.settings, segmentation.MODEL)
        model = segmentation.learn(frame, before)
        described = segmentation.describe(model)
        certificate = model.certificate_
        told = {
            "rand": certificate.rand,
            "rand_low": certificate.rand_low,
            "tree_fidelity": model.tree_.fidelity,
            "segments": segmentation.as_rows(described),
        }
        columns = frame[["customer_key"]]
        entry = self._entry(
            segmentation.MODEL,
            as_of,
            columns,
            {"rows": len(frame)},
            told,
            segmentation.words(described),
            certificate.is_stable,
        )
        return [self._register(entry, model, lambda _old: (0.0, 0.0))]

    def key_customer(self) -> list[Outcome]:
        """The transparent score: nothing is learnt, but it is judged by the margin that followed.

        Where no leaving model is in use, everybody's chance of leaving is the rate that was seen.
        """
        planned = self.plan or churn.plan(self._span())
        frame = read_features(self.settings, planned.judge, most_rows=LEARNT_ROWS)
        rate, horizon = float(churn.labelled(self.settings, planned.judge, planned)[1].mean()), planned.horizon
        leaves = np.full(len(frame), rate)
        if registry.champion(self.settings, churn.MODEL) is not None:
            model = registry.load(self.settings, churn.MODEL)
            horizon = int(registry.entry(self.settings, churn.MODEL).data["horizon_days"])
            leaves = model.predict_proba(frame[list(model.feature_names_in_)])[:, 1]
        parts = key_customers.parts_of(frame, leaves, horizon)
        margin = _margin_that_followed(self.settings, frame, planned)
        told = {
            "margin_share_score": key_customers.share_of_margin(margin, parts.score),
            "margin_share_revenue": key_customers.share_of_margin(
                margin, frame["monthly_fee_yuan"].to_numpy(np.float64)
            ),
            "margin_share_best": key_customers.share_of_margin(margin, margin),
            "borders": key_customers.borders(parts.score),
        }
        entry = self._entry(
            key_customers.MODEL,
            planned.judge,
            frame[["customer_key"]],
            {"rows": len(frame), "leaving_rate": rate, "horizon_days": planned.horizon},
            told,
            key_customers.words(),
            True,
        )
        return [self._register(entry, parameters()[key_customers.MODEL], lambda _old: (0.0, 0.0))]

    def complaints(self) -> list[Outcome]:
        """Complaint types from tickets' texts."""
        from ml.complaints import learn

        model, told, rows = learn(self.settings)
        entry = self._entry(
            "complaints",
            to_local(utc_now()).date(),
            rows[["type"]],
            {"rows": len(rows)},
            told,
            {"": ("投诉分类建议", "Complaint type suggestions")},
            told["macro_f1"] > told["baseline_f1"],
        )
        return [self._register(entry, model, lambda _old: (0.0, 0.0))]

    def volume(self) -> list[Outcome]:
        """Calls per queue and half-hour."""
        from ml.forecasting.volume import learn

        models, told, rows, as_of = learn(self.settings)
        entry = self._entry(
            "volume",
            as_of,
            rows,
            {"rows": len(rows)},
            told,
            {"": ("话务量预测", "Contact volume")},
            told["wape"] < told["baseline_wape"],
        )
        return [self._register(entry, models, lambda _old: (0.0, 0.0))]

    def _span(self) -> Span:
        self.span = self.span or span(self.settings)
        return self.span

    def _entry(
        self,
        model: str,
        as_of: date,
        rows: pd.DataFrame,
        data: dict[str, Any],
        metrics: dict[str, Any],
        words: dict[str, tuple[str, str]],
        beats: bool,
    ) -> Entry:
        return Entry(
            model=model,
            version=registry.new_version(),
            trained_at=utc_now().isoformat(timespec="seconds"),
            as_of=as_of.isoformat(),
            data_hash=data_hash(rows),
            code_version=code_version(),
            data=data,
            metrics=registry.rounded(metrics),
            beats_baseline=bool(beats),
            words={code: list(pair) for code, pair in words.items()},
        )

    def _register(self, entry: Entry, model: Any, against: Callable[[Any], tuple[float, float]]) -> Outcome:
        """Save a version; it scores from now on if it beats its baseline and is no worse than the champion."""
        registry.save(self.settings, entry, model, cards(entry))
        champion = registry.champion(self.settings, entry.model)
        zh, en = texts("ml", "zh-CN"), texts("ml", "en")
        said = zh if as_language(self.settings.language) != "en" else en
        if not entry.beats_baseline:
            return Outcome(entry.model, entry.version, False, said("train.not_shown"), entry.metrics)
        if champion is None:
            reasons = [each("train.first") for each in (zh, en)]
        else:
            gain, low = against(registry.load(self.settings, entry.model))
            if gain < 0 or low < -0.02:
                note = said("train.worse", gain=f"{gain:+.3f}")
                return Outcome(entry.model, entry.version, False, note, entry.metrics)
            reasons = [each("train.no_worse", version=champion.version, gain=f"{gain:+.3f}") for each in (zh, en)]
        registry.promote(self.settings, entry.model, entry.version, by=self.by, reason=reasons[0], reason_en=reasons[1])
        return Outcome(entry.model, entry.version, True, reasons[said is en], entry.metrics)


def _paired(old: Any, new: Any, judged: pd.DataFrame, outcome: np.ndarray) -> tuple[float, float]:
    """The new model's gain in AUC over the old one's on the judging customers, and its lower bound."""
    if set(old.feature_names_in_) - set(judged.columns):
        return 0.0, 0.0
    scores = [model.predict_proba(judged[list(model.feature_names_in_)])[:, 1] for model in (new, old)]
    gain, low, _ = auc_gain(outcome, scores[0], scores[1])
    return gain, low


def _margin_that_followed(settings: Settings, frame: pd.DataFrame, planned: churn.Plan) -> np.ndarray:
    """Fee paid in the window after the judging date, by customer: the whole window unless the customer left."""
    from ml.features import read_outcomes

    days = planned.gap + planned.horizon
    later = read_outcomes(settings, planned.judge).set_index("customer_key").reindex(frame["customer_key"])
    stayed = later["leaves_after_days"].fillna(days).clip(0, days).to_numpy(np.float64)
    margin: np.ndarray = frame["monthly_fee_yuan"].to_numpy(np.float64) * stayed / days
    return margin


def compare(settings: Settings, model: str, version: str) -> dict[str, Any]:
    """A version beside the champion on the champion's own ground: the judging date of now.

    Raises:
        BadInputError: a model that is not judged by outcomes.
    """
    if model != churn.MODEL:
        entries = {"champion": registry.entry(settings, model), "challenger": registry.entry(settings, model, version)}
        return {side: {"version": each.version, "metrics": each.metrics} for side, each in entries.items()}
    planned = churn.plan(span(settings))
    build_features(settings, planned.dates, most_rows=LEARNT_ROWS)
    judged, outcome = churn.labelled(settings, planned.judge, planned)
    told: dict[str, Any] = {
        "judged_at": planned.judge.isoformat(),
        "customers": len(judged),
        "left": int(outcome.sum()),
    }
    fitted = {"champion": registry.load(settings, model), "challenger": registry.load(settings, model, version)}
    for side, each in fitted.items():
        told[side] = churn.judged_against_tenure(each, judged, outcome)
    gain, low = _paired(fitted["champion"], fitted["challenger"], judged, outcome)
    told["gain"] = {"auc": -gain, "high": -low}
    return told


def as_plain(outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
    """For --json."""
    return [asdict(each) for each in outcomes]


__all__ = ["ALL", "CrmError", "Outcome", "as_plain", "compare", "train"]

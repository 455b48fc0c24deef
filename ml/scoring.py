"""`crm score`: every customer by every model in use; the scores go to the lake, the marts and the store."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from core.database import make_engine, session_scope
from core.settings import Settings, get_settings
from ml import complaints, registry
from ml.customers import churn, key_customers, offers, segmentation
from ml.customers.remedies import remedy_rows
from ml.customers.scores import SCHEMA, Scored
from ml.evaluation import Bins
from ml.features import build_features, build_scores, read_features, span
from ml.lake import Artefact, rows_of, write
from ml.parameters import parameters
from ml.topics import Topic, emerging

Tell = Callable[[str], None]
_MONTH, _QUARTER = 30, 90


@dataclass(frozen=True)
class ScoringResult:
    """What a scoring did: rows by model, the lake's load, seconds are the caller's."""

    as_of: str
    load_id: str
    scores: dict[str, int]
    left_out: dict[str, str]
    key_changes: int
    run_id: str = ""


def score(
    settings: Settings | None = None, *, publish: bool = True, to_store: bool = True, tell: Tell = print
) -> ScoringResult:
    """Score as of the day after the last recorded contact; scoring the same marts again gives the same scores.

    Args:
        settings: of the installation.
        publish: gate and publish the marts afterwards.
        to_store: put the latest scores and the proposed key levels into the operational store.
        tell: told each step.

    Raises:
        CrmError: nothing was built, no model is in use, or a gate does not hold.
    """
    settings = settings or get_settings()
    run = _Scoring(settings, tell)
    run.prepare()
    scored = run.customers()
    tell("lake")
    topics = _topics(settings)
    load_id = write(settings, [*run.artefacts(scored), *registry_artefacts(settings, run.drift), *_listed(topics)])
    if to_store:
        tell("store")
        _to_store(settings, scored, run.key_changes, topics)
    tell("marts")
    build_scores(settings)
    run_id = _publish(settings, tell) if publish else ""
    return ScoringResult(
        as_of=run.as_of.isoformat(),
        load_id=load_id,
        scores={each.model: each.table.num_rows for each in scored},
        left_out=run.left_out,
        key_changes=run.key_changes.num_rows,
        run_id=run_id,
    )


def _topics(settings: Settings) -> tuple[date, list[Topic]] | None:
    """The newest complaint's day, and topics that fit no complaint type; None without a complaint model."""
    if registry.champion(settings, complaints.MODEL) is None:
        return None
    table = complaints.read_texts(settings)
    if table.empty:
        return None
    newest = table["created_at"].max()
    return newest.date(), emerging(table, registry.load(settings, complaints.MODEL), newest)


def _listed(topics: tuple[date, list[Topic]] | None) -> list[Artefact]:
    if topics is None:
        return []
    rows: list[dict[str, object]] = [
        {"topic_number": number, "tickets": len(topic.tickets), "first_seen": topic.first, "last_seen": topic.last,
         "terms": "、".join(topic.terms), "as_of": topics[0]}
        for number, topic in enumerate(topics[1], start=1)
    ]  # fmt: skip
    schema = pa.schema(
        [("topic_number", pa.int64()), ("tickets", pa.int64()), ("first_seen", pa.date32()),
         ("last_seen", pa.date32()), ("terms", pa.string()), ("as_of", pa.date32())]
    )  # fmt: skip
    return [Artefact("emerging_topics", "all", rows_of(rows, schema))]


def _publish(settings: Settings, tell: Tell) -> str:
    from warehouse.publish import publish

    tell("publish")
    return publish(settings).run_id


class _Scoring:
    """One scoring: the features of its day, and what each model makes of them."""

    def __init__(self, settings: Settings, tell: Tell) -> None:
        self.settings, self.tell = settings, tell
        self.drift: dict[str, float] = {}
        self.left_out: dict[str, str] = {}
        self.history: list[tuple[date, pa.Table]] = []
        #: Chance of leaving within `horizon` days, of each row; None where no leaving model is in use.
        self.leaves: np.ndarray | None = None
        self.horizon = _QUARTER
        self.key_changes = pa.table({"customer_id": pa.array([], pa.int64())})

    def prepare(self) -> None:
        """Build the features of the day, and of a month before for the segments' migration."""
        covered = span(self.settings)
        self.as_of = covered.next_day
        self.month_before = self.as_of - timedelta(days=_MONTH)
        self.dates = [self.as_of]
        if covered.days > 2 * _MONTH and registry.champion(self.settings, segmentation.MODEL):
            self.dates.append(self.month_before)
        self.tell("features")
        build_features(self.settings, self.dates)
        self.frame = read_features(self.settings, self.as_of)

    def customers(self) -> list[Scored]:
        """The scores of every model in use."""
        found: list[Scored] = []
        for name, method in (
            ("churn", self._churn),
            ("offers", self._offers),
            ("segment", self._segment),
            ("key_customer", self._key_customer),
        ):
            self.tell(name)
            found += method()
        if not found:
            raise registry.NoModelError("No model is in use.", "Train them with: crm train")
        return found

    def _champion(self, model: str) -> tuple[Any, registry.Entry] | None:
        if registry.champion(self.settings, model) is None:
            self.left_out[model] = "no version in use"
            return None
        return registry.load(self.settings, model), registry.entry(self.settings, model)

    def _churn(self) -> list[Scored]:
        used = self._champion(churn.MODEL)
        if used is None:
            return []
        model, entry = used
        scored = churn.score(model, self.frame, version=entry.version, as_of=self.as_of, said=_pairs(entry))
        self.leaves = scored.table.column("score").to_numpy()
        self.horizon = int(entry.data["horizon_days"])
        bins = entry.metrics["score_bins"]
        fixed = Bins(tuple(bins["edges"]), (), tuple(bins["shares"]))
        self.drift[churn.MODEL] = fixed.psi(pd.Series(self.leaves))
        return [scored]

    def _offers(self) -> list[Scored]:
        found = []
        for product in offers.products():
            used = self._champion(offers.model_name(product))
            if used is not None:
                model, entry = used
                found.append(
                    offers.score(
                        model, self.frame, product, version=entry.version, as_of=self.as_of, said=_pairs(entry)
                    )
                )
        return found

    def _segment(self) -> list[Scored]:
        used = self._champion(segmentation.MODEL)
        if used is None:
            return []
        model, entry = used
        scored = segmentation.score(model, self.frame, version=entry.version, as_of=self.as_of, said=_pairs(entry))
        self._remember(scored)
        if self.month_before in self.dates:
            before = read_features(self.settings, self.month_before)
            self._remember(segmentation.score(model, before, version=entry.version, as_of=self.month_before, said={}))
        return [scored]

    def _remember(self, scored: Scored) -> None:
        segment = scored.table.column("score").cast(pa.int64())
        self.history.append(
            (
                scored.as_of,
                pa.table(
                    {
                        "customer_id": scored.table.column("customer_id"),
                        "as_of": scored.table.column("as_of"),
                        "segment": segment,
                    }
                ),
            )
        )

    def _key_customer(self) -> list[Scored]:
        used = self._champion(key_customers.MODEL)
        if used is None:
            return []
        entry = used[1]
        leaves, horizon = self.leaves, self.horizon
        if leaves is None:
            leaves = np.full(len(self.frame), float(entry.data.get("leaving_rate", 0.0)))
            horizon = int(entry.data.get("horizon_days", _QUARTER))
        parts = key_customers.parts_of(self.frame, leaves, horizon)
        scored = key_customers.score(self.frame, parts, version=entry.version, as_of=self.as_of)
        self.key_changes = _changes(self.frame, parts, scored)
        return [scored]

    def artefacts(self, scored: list[Scored]) -> list[Artefact]:
        """What goes to the lake."""
        out = []
        for each in scored:
            named = each.table.append_column("model", pa.repeat(pa.scalar(each.model), each.table.num_rows))
            out.append(Artefact("customer_scores", each.model, named))
            texts = [
                {"model": each.model, "code": code, "text_zh": zh, "text_en": en}
                for code, (zh, en) in each.words.items()
            ]
            out.append(Artefact("score_texts", each.model, _strings(texts, ("model", "code", "text_zh", "text_en"))))
        out += [Artefact("segment_history", f"segment@{day.isoformat()}", rows) for day, rows in self.history]
        if self.key_changes.num_columns > 1:
            out.append(Artefact("key_changes", "all", self.key_changes))
        out.append(Artefact("offer_terms", "all", self._terms()))
        out.append(Artefact("remedies", "all", _strings(remedy_rows(), ("column_name", "remedy"))))
        if registry.champion(self.settings, segmentation.MODEL):
            out.append(Artefact("segments", "all", self._segments()))
        return out

    def _terms(self) -> pa.Table:
        rows = []
        for product, given in parameters()["offers"].items():
            name = offers.model_name(product)
            if registry.champion(self.settings, name):
                fee = float(registry.entry(self.settings, name).metrics["median_fee_yuan"])
                rows.append(
                    {"model": name, "product_code": product, "yearly_margin_yuan": 12 * fee * given["margin_share"]}
                )
        schema = pa.schema(
            [("model", pa.string()), ("product_code", pa.string()), ("yearly_margin_yuan", pa.float64())]
        )
        return rows_of(rows, schema)

    def _segments(self) -> pa.Table:
        entry = registry.entry(self.settings, segmentation.MODEL)
        text = ("version", "name_zh", "name_en", "action_zh", "action_en", "differs_zh", "differs_en", "verdict")
        rows = [each | {"version": entry.version, "as_of": self.as_of} for each in entry.metrics["segments"]]
        schema = pa.schema(
            [
                ("number", pa.int64()),
                ("as_of", pa.date32()),
                ("jaccard", pa.float64()),
                *((name, pa.string()) for name in text),
            ]
        )
        return rows_of([{name: row[name] for name in schema.names} for row in rows], schema)


def _pairs(entry: registry.Entry) -> dict[str, tuple[str, str]]:
    return {code: (zh, en) for code, (zh, en) in entry.words.items()}


def _strings(rows: list[dict[str, str]], names: tuple[str, ...]) -> pa.Table:
    return rows_of([dict(row) for row in rows], pa.schema([(name, pa.string()) for name in names]))


def _changes(frame: pd.DataFrame, parts: key_customers.Parts, scored: Scored) -> pa.Table:
    """Customers whose level should change, with the parts of the score."""
    proposed = np.asarray(scored.table.column("label").to_pylist(), dtype=object)
    present = frame["key_level"].astype(str).to_numpy(dtype=object)
    rows = np.flatnonzero(proposed != present)
    columns: dict[str, Any] = {
        "customer_id": pa.array(frame["customer_key"].to_numpy(np.int64)[rows]),
        "from_level": pa.array(present[rows], pa.string()),
        "to_level": pa.array(proposed[rows], pa.string()),
        "score": pa.array(parts.score[rows]),
    }
    for name in key_customers.PARTS:
        columns[f"{name}_points"] = pa.array(parts.points[name].to_numpy()[rows])
    columns["version"] = pa.repeat(pa.scalar(scored.version), len(rows))
    columns["as_of"] = pa.repeat(pa.scalar(scored.as_of, pa.date32()), len(rows))
    return pa.table(columns)


def registry_artefacts(
    settings: Settings, drift: dict[str, float], only: Sequence[str] | None = None
) -> list[Artefact]:
    """The registry as rows, one artefact a model (those of `only`): every version, its metrics and cards."""
    texts = ("model", "version", "trained_at", "learnt_to", "promoted_by", "promoted_at", "promoted_because",
             "promoted_because_en", "metrics", "card_zh", "card_en")  # fmt: skip
    kinds = [("is_champion", pa.bool_()), ("beats_baseline", pa.bool_()), ("drift", pa.float64())]
    schema = pa.schema([*kinds, *((name, pa.string()) for name in texts)])
    chosen = registry.models(settings) if only is None else only
    return [Artefact("model_versions", model, rows_of(_versions(settings, model, drift), schema)) for model in chosen]


def _versions(settings: Settings, model: str, drift: dict[str, float]) -> list[dict[str, object]]:
    champion = registry.champion(settings, model)
    rows: list[dict[str, object]] = []
    for each in registry.versions(settings, model):
        used = champion is not None and champion.version == each.version
        figures = {name: value for name, value in each.metrics.items() if name != "score_bins"}
        rows.append(
            {
                "model": model,
                "version": each.version,
                "is_champion": used,
                "beats_baseline": each.beats_baseline,
                "trained_at": each.trained_at,
                "learnt_to": each.as_of,
                "promoted_by": champion.by if used and champion else None,
                "promoted_at": champion.at if used and champion else None,
                "promoted_because": champion.reason if used and champion else None,
                "promoted_because_en": champion.reason_en if used and champion else None,
                "metrics": json.dumps(registry.rounded(figures), ensure_ascii=False),
                "drift": drift.get(model) if used else None,
                "card_zh": registry.card(settings, model, each.version, "zh-CN"),
                "card_en": registry.card(settings, model, each.version, "en"),
            }
        )
    return rows


def _to_store(
    settings: Settings, scored: list[Scored], key_changes: pa.Table, topics: tuple[date, list[Topic]] | None
) -> None:
    """The latest scores into the operational store, all models or none; what people are to decide."""
    from crm_api.scores import proposals, service
    from crm_api.suggestions import topics as naming

    engine = make_engine(settings)
    with engine.begin() as connection:
        for each in scored:
            service.replace(connection, each.model, [each.table.select(SCHEMA.names)], each.words)
        if key_changes.num_columns > 1:
            proposals.propose(connection, key_changes)
    if topics is not None:
        with session_scope(engine) as session:
            naming.propose(
                session, [naming.Found(each.terms, each.tickets, each.first, each.last) for each in topics[1]]
            )
    engine.dispose()


__all__ = ["ScoringResult", "registry_artefacts", "score"]

"""What the campaign page asks: how far a list was worked, whether calling made a difference, what it brought."""

from dataclasses import dataclass

import pandas as pd

from core.trial import Effect, effect
from dashboards.frame import Frame

STEPS = ("assigned", "called", "reached", "accepted")
#: Gates that say where the list ended, not who was taken out.
_ENDS = ("eligible", "listed")


@dataclass(frozen=True)
class Evaluation:
    """One campaign within the reader's scope: counts, the effect of calling, money in yuan."""

    counts: dict[str, int]
    effect: Effect
    margin_of_one: float
    cost: float

    @property
    def gained(self) -> float:
        """Customers who would not have met the goal without the calls, by the best guess."""
        return self.effect.difference * self.counts["assigned"]

    @property
    def net(self) -> float:
        """Margin of those gained less the cost of the calls, yuan."""
        return self.gained * self.margin_of_one - self.cost

    @property
    def verdict(self) -> str:
        """`empty`, `no_holdout`, `none`, `worked`, `likely`, `harmed`: what the page says first."""
        if not self.counts["assigned"]:
            return "empty"
        if not self.counts["held"]:
            return "no_holdout"
        if not self.effect.is_likely:
            return "none"
        if self.effect.high < 0:
            return "harmed"
        return "worked" if self.effect.is_shown else "likely"


def campaigns(frame: Frame) -> pd.DataFrame:
    """Approved campaigns, newest first."""
    return frame.source.rows("campaigns")


def evaluate(frame: Frame, campaign: int) -> Evaluation:
    """A campaign's figures over the cities shown."""
    rows = _arms(frame, campaign)
    counts = {name: int(rows[name].sum()) for name in (*STEPS, "converted", "held", "held_converted")}
    found = effect(counts["converted"], counts["assigned"], counts["held_converted"], counts["held"])
    margin = float(rows["margin_yuan"].sum()) / counts["converted"] if counts["converted"] else 0.0
    return Evaluation(counts, found, margin, float(rows["cost_yuan"].sum()))


def steps(frame: Frame, evaluation: Evaluation) -> pd.DataFrame:
    """From the list to the yes: `code`, `name`, `order`, `value`, `share` of the list."""
    top = evaluation.counts["assigned"] or 1
    return pd.DataFrame(
        {
            "code": list(STEPS),
            "name": [frame.texts(f"campaign.step_{step}") for step in STEPS],
            "order": range(len(STEPS)),
            "value": [evaluation.counts[step] for step in STEPS],
            "share": [evaluation.counts[step] / top for step in STEPS],
        }
    )


def arms(frame: Frame, evaluation: Evaluation) -> pd.DataFrame:
    """The two arms: `name`, `arm`, `customers`, `value` (share that met the goal)."""
    found = evaluation.effect
    rows = [("called", found.called, found.rate_called), ("held", found.held, found.rate_held)]
    return pd.DataFrame(
        [
            {
                "name": frame.texts(f"campaign.arm_{arm}"),
                "arm": arm,
                "customers": count,
                "value": rate,
                "assigned_key": "true" if arm == "called" else "false",
            }
            for arm, count, rate in rows
            if count
        ]
    )


def gates(frame: Frame, campaign: int) -> pd.DataFrame:
    """Who was left out before the list: `code`, `name`, `value`, in the gates' order."""
    rows = frame.source.rows("campaign_gates", campaign=campaign)
    rows = rows[~rows["gate"].isin(_ENDS)]
    names = [frame.texts(f"campaign.gate_{gate}") for gate in rows["gate"]]
    return pd.DataFrame(
        {
            "code": rows["gate"].to_numpy(),
            "name": names,
            "value": rows["customers"].to_numpy(),
            "order": rows["position"].to_numpy(),
        }
    )


def by_city(frame: Frame, campaign: int) -> pd.DataFrame:
    """The list by city, with both arms' shares; the difference only where the lot left enough to compare."""
    rows = _arms(frame, campaign)
    names = frame.unit_names()
    return pd.DataFrame(
        {
            "city": [names.get(code, code) for code in rows["city_code"]],
            "city_key": rows["city_code"],
            "assigned": rows["assigned"],
            "reached": rows["reached"],
            "accepted": rows["accepted"],
            "share_called": _shares(rows["converted"], rows["assigned"]),
            "held": rows["held"],
            "share_held": _shares(rows["held_converted"], rows["held"]),
        }
    ).sort_values("assigned", ascending=False)


def title_of(frame: Frame, row: pd.Series) -> str:
    """A campaign as the list box names it."""
    state = frame.texts(f"campaign.state_{row['state']}")
    return f"{row['title']} · {row['starts_on']:%Y-%m-%d} · {state}"


def _shares(part: pd.Series, whole: pd.Series) -> pd.Series:
    """Shares; NULL where there is nobody."""
    return part.astype(float) / whole.astype(float).where(whole > 0)


def _arms(frame: Frame, campaign: int) -> pd.DataFrame:
    return frame.source.rows("campaign_arms", campaign=campaign, city=frame.city)


__all__ = ["Evaluation", "arms", "by_city", "campaigns", "evaluate", "gates", "steps", "title_of"]

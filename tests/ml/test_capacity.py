"""From the forecast of incoming calls to the list: what the roster leaves free bounds whom a campaign may call."""

from collections import Counter
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import Engine, select

from core.database import make_engine, session_scope
from core.settings import Settings
from crm_api.campaigns.models import CallListEntry
from crm_api.campaigns.settings import campaign_settings
from ml.capacity import tell_campaigns
from ml.forecasting import staffing_plan
from ml.models import VolumeForecaster
from tests.crm_api.test_campaigns import DAY, add, build, campaign

AGENTS = 12
CUSTOMERS, CALLS_A_DAY = 60, 8
THURSDAY = DAY + timedelta(days=2)


@pytest.fixture
def settings(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setattr(campaign_settings(), "global_holdout_percent", 0)
    return Settings(home=tmp_path, database_url=sqlite_url)


def _history(calls: float, busy_thursdays: float = 1.0) -> pd.Series:
    """Eight weeks of half-hours, 08:00 to 20:00, up to the day before the campaign."""
    index = pd.date_range(DAY - timedelta(days=56), pd.Timestamp(DAY), freq="30min", inclusive="left")
    index = index[(index.hour >= 8) & (index.hour < 20)]
    mean = calls * np.where(index.day_of_week == 3, busy_thursdays, 1.0)
    return pd.Series(np.random.default_rng(0).poisson(mean), index=index)


def _foretold(settings: Settings, history: pd.Series) -> None:
    """As `crm forecast`: forecast, staff to its 80 % quantile, tell the campaigns what the roster leaves free."""
    model = VolumeForecaster().fit(history)
    coming = model.predict("7D", [0.8])
    calls = pd.DataFrame(
        {
            "at": coming.index,
            "calls_expected": model.predict_mean("7D").to_numpy(),
            "calls_staffed_for": coming[0.8].to_numpy(),
        }
    )
    plan = staffing_plan.plan(calls, 240.0, 180.0, np.full(len(calls), AGENTS), staffing_plan.limits(settings))
    tell_campaigns(settings, plan)


def _calls_by_day(engine: Engine) -> Counter[object]:
    """Build the campaign's list and count its calls by planned day."""
    with session_scope(engine) as session:
        for number in range(CUSTOMERS):
            add(session, number)
        made = campaign(session, calls=CALLS_A_DAY)
        listed = build(session, made).listed
        days = Counter(session.scalars(select(CallListEntry.planned_on)))
    assert sum(days.values()) == listed
    return days


@pytest.mark.parametrize(
    ("history", "thursday", "other_days"),
    [(_history(20), CALLS_A_DAY, CALLS_A_DAY), (_history(20, 5.0), 0, CALLS_A_DAY), (_history(90), 0, 0)],
    ids=["a calm week", "busy Thursdays", "busy every day"],
)
def test_a_list_shrinks_where_the_forecast_of_incoming_calls_peaks(
    settings: Settings, history: pd.Series, thursday: int, other_days: int
) -> None:
    _foretold(settings, history)
    engine = make_engine(settings)
    days = _calls_by_day(engine)
    engine.dispose()
    week = [DAY + timedelta(days=number) for number in range(7)]
    assert [days[day] for day in week] == [thursday if day == THURSDAY else other_days for day in week]

"""What `crm demo` does behind the served pages: models learnt and scored, a forecast, a campaign that is over.

A process of its own with low priority, so that pages and desk stay quick; what is there already is not done again,
what an earlier run was ended in is finished.
"""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, time, timedelta
from subprocess import Popen, TimeoutExpired
from time import perf_counter
from typing import TYPE_CHECKING

import click

from core.errors import CrmError
from core.time import LOCAL, to_local, utc_now

if TYPE_CHECKING:
    from sqlalchemy import Engine
    from sqlalchemy.orm import Session

    from core.actor import Actor
    from core.settings import Settings

CODE = "demo-broadband"
#: The example's days: called four weeks ago for a week, success counted for two.
_AGO, _DAYS, _WINDOW = 28, 7, 14
_NICE = 10
_ENDING = 10.0
#: Of the home: written once models are learnt and their scores shown.
_LEARNT = "demo_learnt"


@contextmanager
def insight(settings: "Settings") -> Iterator[None]:
    """Learn behind the block; the process ends with it."""
    environment = os.environ | {"CRM_HOME": str(settings.home.resolve())}
    process = Popen([sys.executable, "-m", "cli.demo_insight"], env=environment)
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(_ENDING)
        except TimeoutExpired:
            process.kill()
            process.wait()


def run() -> None:
    """Learn, score, forecast, evaluate; a demo too small to learn from says so and goes without."""
    from core.settings import get_settings

    os.nice(_NICE)
    # Ctrl-C reaches the whole group; the demo itself then ends this process.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    settings = get_settings()
    began = perf_counter()
    try:
        if not (settings.home / _LEARNT).exists():
            _learn(settings)
            (settings.home / _LEARNT).touch()
        if _example(settings):
            _publish(settings)
            _tell(
                f"campaign and forecast shown after {perf_counter() - began:.0f} s; nothing runs behind the pages now"
            )
    except CrmError as error:
        _tell(f"left out: {error.message}")


def _tell(said: str) -> None:
    click.echo(f"  insight   {said}", err=True)


def _learn(settings: "Settings") -> None:
    from ml.forecasting.run import forecast
    from ml.scoring import score
    from ml.training import train

    _tell("models are being learnt behind the pages (about a minute) …")
    learnt = train(settings, by="crm demo", tell=lambda _: None)
    _tell(f"in use: {', '.join(each.model for each in learnt if each.is_champion) or 'none'}")
    done = score(settings, tell=lambda _: None)
    _tell(f"{sum(done.scores.values()):,} scores shown: pages “Customers” and “Models”, the desk's “Proposals”")
    if any(each.model == "volume" and each.is_champion for each in learnt):
        forecast(settings, publish=False, tell=lambda _: None)


def _publish(settings: "Settings") -> None:
    from cli.pipeline import run_pipeline

    run_pipeline(settings)


def _example(settings: "Settings") -> bool:
    """Define, build, approve and work the example's list, or the rest of it; False if that was done already."""
    from sqlalchemy import select

    from core.database import make_engine, session_scope
    from crm_api.campaigns.models import Campaign
    from simulator.campaign_calls import simulate_calls

    engine = make_engine(settings)
    try:
        with session_scope(engine) as session:
            there = session.scalars(select(Campaign).where(Campaign.code == CODE)).one_or_none()
            if there is not None and there.state != "running":
                return False
            supervisor = _actor(session, "supervisor")
            campaign_id = there.id if there else _started(session, _actor(session, "marketing"), supervisor)
        worked = simulate_calls(engine, campaign_id, actor=supervisor)
        _finish(engine, campaign_id, supervisor)
    finally:
        engine.dispose()
    _tell(f"an example campaign was worked with {sum(worked.attempts.values()):,} made-up calls")
    return True


def _actor(session: "Session", username: str) -> "Actor":
    from sqlalchemy import select

    from crm_api.identity.models import User
    from crm_api.identity.sessions import actor_of

    return actor_of(session.scalars(select(User).where(User.username == username, User.is_demo)).one())


def _started(session: "Session", marketing: "Actor", supervisor: "Actor") -> int:
    from sqlalchemy import func, select

    from crm_api.campaigns import building, service
    from crm_api.organisation.models import OrgUnit
    from crm_api.scores.models import CustomerScore
    from ml.lists import solve

    first = to_local(utc_now()).date() - timedelta(days=_AGO)
    at = datetime.combine(first, time(7, 30), LOCAL)
    model = session.scalar(select(func.min(CustomerScore.model)).where(CustomerScore.model == "offer_broadband"))
    values = {
        "name": "宽带升级 · 示例 (example)",
        "purpose": "marketing",
        "goal": "subscribe",
        "starts_on": first,
        "ends_on": first + timedelta(days=_DAYS - 1),
        "holdout_percent": 30,
        "window_days": _WINDOW,
        "script": "您好，这里是 96766。您家的数字电视可以升级百兆宽带……",
    }
    units = session.scalars(select(OrgUnit.id).where(OrgUnit.kind == "city"))
    made = service.create(
        session,
        actor=marketing,
        code=CODE,
        values=values,
        offers=[service.OfferPlan("broadband_100", score_model=model, assumed_rate=0.05)],
        calls_per_day=dict.fromkeys(units, 40),
        now=at,
    )
    building.carry_out(session, service.request_build(session, made.id, actor=marketing, now=at), solve, now=at)
    for step, actor in (("review", marketing), ("approve", supervisor), ("start", marketing)):
        service.step(session, made.id, step, actor=actor, now=at)
    return made.id


def _finish(engine: "Engine", campaign_id: int, supervisor: "Actor") -> None:
    from core.database import session_scope
    from crm_api.campaigns import service

    with session_scope(engine) as session:
        service.step(session, campaign_id, "finish", actor=supervisor)


if __name__ == "__main__":
    run()

"""What the demo does behind its pages is finished by the next start if an earlier one was ended in it."""

import shutil
from datetime import timedelta
from pathlib import Path

from sqlalchemy import select

from cli.demo_insight import CODE, _example
from core.database import make_engine, session_scope
from core.settings import Settings
from core.time import to_local, utc_now
from crm_api.campaigns.models import Campaign
from crm_api.identity.service import create_demo_users
from crm_api.organisation.models import OrgUnit


def test_the_example_that_an_ended_demo_left_running_is_finished(home: Settings, sqlite_template: Path) -> None:
    store = home.home / "store" / "crm.sqlite"
    store.parent.mkdir(parents=True)
    shutil.copy(sqlite_template, store)
    engine, day = make_engine(home), to_local(utc_now()).date() - timedelta(days=28)
    with session_scope(engine) as session:
        create_demo_users(session)
        province = session.scalars(select(OrgUnit.id).where(OrgUnit.kind == "province")).one()
        left = Campaign(
            code=CODE, name="示例", purpose="marketing", goal="subscribe", state="running", unit_id=province
        )
        left.starts_on, left.ends_on, left.created_by = day, day + timedelta(days=6), "marketing"
        left.created_at = left.approved_at = utc_now()
        session.add(left)
    assert _example(home)
    with session_scope(engine) as session:
        assert session.scalars(select(Campaign.state)).all() == ["finished"]
    assert not _example(home)
    engine.dispose()

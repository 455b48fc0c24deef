"""Features as of a day never see what happened on that day or later."""

import shutil
from pathlib import Path

import duckdb
import pandas as pd
import pytest
import yaml

from core.settings import Settings
from ml.customers.scores import feature_words
from ml.features import build_features, feature_columns, read_features
from tests.ml.province.conftest import Province

DOCUMENTED = Path(__file__).parents[3] / "dbt" / "models" / "features" / "_features__models.yml"
#: What happens to the rows from a moment on: other figures, other customers, gone.
FUTURE = (
    "update marts.fct_contact set wait_seconds = 9999, is_abandoned = true where started_at >= $at",
    "delete from marts.fct_contact where started_at >= $at and contact_key % 3 = 0",
    "update marts.fct_ticket set resolved_at = null, closed_at = null where resolved_at >= $at",
    "update marts.fct_ticket set reopen_count = 9, state = 'cancelled'",
    "delete from marts.fct_ticket where created_at >= $at",
    "update marts.fct_survey_answer set score = 1 where answered_at >= $at",
)


@pytest.fixture
def copied(province: Province, tmp_path: Path) -> Settings:
    """The province's warehouse to be spoilt, over the same lake."""
    home = tmp_path / "home"
    shutil.copytree(province.settings.warehouse_file.parent, home / "warehouse")
    (home / "lake").symlink_to(province.settings.lake)
    return Settings(home=home)


def _spoil(settings: Settings, statements: tuple[str, ...], moment: str) -> None:
    with duckdb.connect(str(settings.warehouse_file)) as connection:
        for statement in statements:
            values = {"at": moment} if "$at" in statement else {}
            connection.execute(statement.replace("$at", "cast($at as timestamptz)"), values)


def test_changing_the_future_changes_no_feature(province: Province, copied: Settings) -> None:
    day = province.plan.judge
    before = read_features(province.settings, day)
    _spoil(copied, FUTURE, f"{day.isoformat()} 00:00:00+08")
    build_features(copied, [day])
    pd.testing.assert_frame_equal(read_features(copied, day), before)


def test_changing_the_past_does(province: Province, copied: Settings) -> None:
    day = province.plan.judge
    before = read_features(province.settings, day)
    _spoil(copied, FUTURE[:1], "2026-01-01 00:00:00+08")
    build_features(copied, [day])
    after = read_features(copied, day)
    assert not after["abandoned_90d"].equals(before["abandoned_90d"])


def test_who_leaves_later_is_still_there_and_who_comes_later_is_not(province: Province) -> None:
    frame = read_features(province.settings, province.plan.judge)
    with duckdb.connect(str(province.settings.warehouse_file), read_only=True) as connection:
        known = connection.execute("select customer_key, registered_date, left_date from marts.dim_customer").df()
    known = known.set_index("customer_key").loc[frame["customer_key"]]
    day = pd.Timestamp(province.plan.judge)
    assert (pd.to_datetime(known["registered_date"]) < day).all()
    assert (pd.to_datetime(known["left_date"]) >= day).sum() > 50


def test_every_feature_is_documented_and_has_words(province: Province) -> None:
    columns = set(feature_columns(read_features(province.settings, province.plan.judge, most_rows=10)))
    models = yaml.safe_load(DOCUMENTED.read_text(encoding="utf-8"))["models"]
    (table,) = [model for model in models if model["name"] == "customer_features"]
    documented = {column["name"] for column in table["columns"]}
    assert columns == documented - {"customer_key", "as_of"} == set(feature_words())

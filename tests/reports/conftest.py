"""Made-up marts published once, in a home of the test's own."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.settings import Settings, get_settings
from tests.dashboards.marts import publish_marts


@pytest.fixture(scope="session")
def made_marts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which run `first` is published; not to be written to."""
    home = tmp_path_factory.mktemp("report_marts")
    publish_marts(Settings(home=home), "first")
    return home


@pytest.fixture
def home(made_marts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """Settings of a home of this test with the published marts."""
    shutil.copytree(made_marts, tmp_path, dirs_exist_ok=True)
    monkeypatch.setenv("CRM_HOME", str(tmp_path))
    monkeypatch.delenv("CRM_LANGUAGE", raising=False)
    monkeypatch.delenv("CRM_DATABASE_URL", raising=False)
    get_settings.cache_clear()
    yield get_settings()
    get_settings.cache_clear()

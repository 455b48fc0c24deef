"""Marts for pages, published once a session and linked into each test's home."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.settings import Settings
from tests.dashboards.marts import publish_marts


@pytest.fixture(scope="session")
def marts_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CRM_HOME in which run `first` of made-up marts is published; not to be written to."""
    home = tmp_path_factory.mktemp("marts")
    publish_marts(Settings(home=home), "first")
    return home


@pytest.fixture
def published(marts_home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """Settings of a home with published marts."""
    from core.settings import get_settings

    monkeypatch.setenv("CRM_HOME", str(marts_home))
    monkeypatch.setenv("CRM_DASHBOARD_SCOPE", "province")
    monkeypatch.delenv("CRM_LANGUAGE", raising=False)
    get_settings.cache_clear()
    yield get_settings()
    get_settings.cache_clear()

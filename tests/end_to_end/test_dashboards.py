"""The pages in a real browser: each once a language, filters kept on the way, and a publication that comes in."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.i18n import LANGUAGES, Language, texts
from core.settings import Settings
from tests.browser import answers, until
from tests.dashboards.marts import publish_marts
from tests.servers import free_port

ROOT = Path(__file__).parents[2]
PAGES = {"overview": "", "access_channel": "access-channel", "complaint_type": "complaint-type",
         "seat_utilisation": "seat-utilisation"}  # fmt: skip
pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A home with published marts."""
    settings = Settings(home=tmp_path_factory.mktemp("browser"))
    publish_marts(settings, "first")
    return settings


@pytest.fixture(scope="module")
def address(home: Settings) -> Iterator[str]:
    """The pages, served by `crm dashboards` in a process of its own."""
    port = free_port()
    environment = os.environ | {"CRM_HOME": str(home.home), "CRM_DASHBOARD_POLL_SECONDS": "1"}
    environment.pop("CRM_DASHBOARD_SCOPE", None)
    command = [sys.executable, "-m", "cli.main", "dashboards", "--port", str(port)]
    server = subprocess.Popen(command, cwd=ROOT, env=environment)
    try:
        url = f"http://127.0.0.1:{port}"
        until(lambda: answers(f"{url}/_stcore/health"), "the server to answer")
        yield url
    finally:
        server.terminate()
        assert server.wait(20) == 0


@pytest.fixture(scope="module")
def browser(chromium: Any) -> Any:
    """Chromium, with the window of a small laptop."""
    chromium.set_window_size(1280, 1000)
    return chromium


def _all(browser: Any, selector: str) -> list[Any]:
    return list(browser.find_elements("css selector", selector))


def _text(browser: Any) -> str:
    return str(browser.execute_script("return document.body.innerText"))


def _open(browser: Any, url: str, title: str) -> None:
    """Open a page and wait until it is drawn."""
    browser.get(url)
    until(lambda: title in _text(browser).splitlines(), f"the title {title}")
    until(lambda: len(_all(browser, "[data-testid=stVegaLiteChart]")) >= 3, "three charts")
    until(lambda: not _all(browser, "[data-testid=stStatusWidget]"), "the page to be ready")
    empty = "[data-testid=stVegaLiteChart]:not(:has(svg.marks))"
    until(lambda: not _all(browser, empty), "every chart to be drawn")
    assert not _all(browser, "[data-testid=stException]"), _text(browser)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_drawn(browser: Any, address: str, page: str, language: Language) -> None:
    text = texts("dashboards", language)
    _open(browser, f"{address}/{PAGES[page]}?lang={language}", text(f"page.{page}"))
    assert text("frame.data", through="2026-11-08 22:00", run="first") in _text(browser)
    loaded = browser.execute_script("return performance.getEntriesByType('resource').map(entry => entry.name)")
    assert [name for name in loaded if not name.startswith((address, "data:", "blob:"))] == []
    # Streamlit looks for its own base path below a page's address first, which is not there.
    severe = [entry["message"] for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]
    assert [message for message in severe if "/_stcore/" not in message] == []


def test_a_definition_is_a_click_away(browser: Any, address: str) -> None:
    _open(browser, f"{address}/?lang=en", "Overview")
    browser.find_element("css selector", ".st-key-define_sl_negative button").click()
    until(lambda: "answered within T ÷ offered" in _text(browser), "the definition")


def test_filters_stay_on_the_way_to_another_page_and_back(browser: Any, address: str) -> None:
    _open(browser, f"{address}/?lang=en&city=yulin&period=last_7_days", "Overview")
    next(link for link in _all(browser, "a") if link.text.endswith("Access channel")).click()
    until(lambda: "/access-channel" in browser.current_url and "city=yulin" in browser.current_url, "the filters")
    until(lambda: "(7 days)" in _text(browser), "the period")
    browser.back()
    until(lambda: "Overview" in _text(browser).splitlines() and "city=yulin" in browser.current_url, "the way back")


def test_a_click_on_a_bar_goes_one_level_down(browser: Any, address: str) -> None:
    from selenium.webdriver import ActionChains

    _open(browser, f"{address}/complaint-type?lang=en", "Complaint type")
    for name, level in (("Signal", "signal"), ("Digital TV", "signal.digital_tv"), ("No picture", ".no_picture")):
        bars = f".st-key-card_pareto svg path[aria-label^='name: {name};']"
        bar = until(lambda bars=bars: _all(browser, bars), name)[0]
        browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", bar)
        ActionChains(browser).move_to_element(bar).click().perform()
        until(lambda level=level: browser.current_url.endswith(level), level)
    assert not _all(browser, "[data-testid=stException]")


def test_a_phone_shows_the_page_without_scrolling_sideways(browser: Any, address: str) -> None:
    phone = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", phone)
    try:
        for page, path in PAGES.items():
            _open(browser, f"{address}/{path}?lang=en", texts("dashboards", "en")(f"page.{page}"))
            wide = "return document.querySelector('[data-testid=stMain]').scrollWidth"
            assert browser.execute_script(wide) <= 390, page
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_a_new_publication_appears_without_a_restart_and_a_rollback_too(
    browser: Any, address: str, home: Settings
) -> None:
    from warehouse.publication import roll_back

    _open(browser, f"{address}/?lang=en", "Overview")
    publish_marts(home, "second")
    until(lambda: "run second" in _text(browser), "the new publication")
    roll_back(home)
    until(lambda: "run first" in _text(browser), "the publication before")
    assert not _all(browser, "[data-testid=stException]")

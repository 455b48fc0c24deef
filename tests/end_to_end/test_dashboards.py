"""The pages in a real browser: each once a language, filters kept on the way, and a publication that comes in."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from core.i18n import LANGUAGES, Language, texts
from core.settings import Settings
from tests.dashboards.marts import publish_marts
from tests.servers import free_port, missing

ROOT = Path(__file__).parents[2]
PAGES = {"overview": "", "access_channel": "access-channel", "complaint_type": "complaint-type",
         "seat_utilisation": "seat-utilisation"}  # fmt: skip
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1280,1000",
)
PATIENCE = 60.0

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
        _wait(lambda: _answers(url), "the server to answer")
        yield url
    finally:
        server.terminate()
        assert server.wait(20) == 0


def _answers(url: str) -> bool:
    try:
        with urlopen(f"{url}/_stcore/health", timeout=2) as answer:
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False


def _wait(condition: Any, what: str, patience: float = PATIENCE) -> Any:
    end = time.monotonic() + patience
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.1)
    pytest.fail(f"waited {patience:.0f} s for {what}")


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A headless Chromium with a fresh profile."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not chromium or not driver:
        missing("Chromium", "install the packages chromium and chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = str(chromium)
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    opened = webdriver.Chrome(options=options, service=Service(str(driver)))
    yield opened
    opened.quit()


def _all(browser: Any, selector: str) -> list[Any]:
    return list(browser.find_elements("css selector", selector))


def _text(browser: Any) -> str:
    return str(browser.execute_script("return document.body.innerText"))


def _open(browser: Any, url: str, title: str) -> None:
    """Open a page and wait until it is drawn."""
    browser.get(url)
    _wait(lambda: title in _text(browser).splitlines(), f"the title {title}")
    _wait(lambda: len(_all(browser, "[data-testid=stVegaLiteChart]")) >= 3, "three charts")
    _wait(lambda: not _all(browser, "[data-testid=stStatusWidget]"), "the page to be ready")
    empty = "[data-testid=stVegaLiteChart]:not(:has(svg.marks))"
    _wait(lambda: not _all(browser, empty), "every chart to be drawn")
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
    _wait(lambda: "answered within T ÷ offered" in _text(browser), "the definition")


def test_filters_stay_on_the_way_to_another_page_and_back(browser: Any, address: str) -> None:
    _open(browser, f"{address}/?lang=en&city=yulin&period=last_7_days", "Overview")
    next(link for link in _all(browser, "a") if link.text.endswith("Access channel")).click()
    _wait(lambda: "/access-channel" in browser.current_url and "city=yulin" in browser.current_url, "the filters")
    _wait(lambda: "(7 days)" in _text(browser), "the period")
    browser.back()
    _wait(lambda: "Overview" in _text(browser).splitlines() and "city=yulin" in browser.current_url, "the way back")


def test_a_click_on_a_bar_goes_one_level_down(browser: Any, address: str) -> None:
    from selenium.webdriver import ActionChains

    _open(browser, f"{address}/complaint-type?lang=en", "Complaint type")
    for name, level in (("Signal", "signal"), ("Digital TV", "signal.digital_tv"), ("No picture", ".no_picture")):
        bars = f".st-key-card_pareto svg path[aria-label^='name: {name};']"
        bar = _wait(lambda bars=bars: _all(browser, bars), name)[0]
        browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", bar)
        ActionChains(browser).move_to_element(bar).click().perform()
        _wait(lambda level=level: browser.current_url.endswith(level), level)
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
    _wait(lambda: "run second" in _text(browser), "the new publication")
    roll_back(home)
    _wait(lambda: "run first" in _text(browser), "the publication before")
    assert not _all(browser, "[data-testid=stException]")

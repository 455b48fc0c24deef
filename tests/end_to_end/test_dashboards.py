"""The pages in a real browser, behind the CRM's sign-in: each as the province and as a city, in both languages."""

import csv
import io
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import openpyxl
import pytest
from PIL import Image

from core.database import make_engine, session_scope
from core.i18n import texts
from core.settings import Settings
from crm_api.identity.service import create_demo_users, demo_password
from dashboards.crm import SESSION_COOKIE
from tests.browser import answers, until
from tests.dashboards.marts import publish_again, publish_marts
from tests.dashboards.test_pages import CHARTS
from tests.servers import free_port

ROOT = Path(__file__).parents[2]
#: Every page by its path, with the least number of charts that it draws from the made-up marts.
PAGES = {page: "" if page == "overview" else page.replace("_", "-") for page in CHARTS}
#: Tried elsewhere too; a city sees no campaign gates.
MORE = {"campaigns": 2}
CITIES = (
    "xian",
    "tongchuan",
    "baoji",
    "xianyang",
    "weinan",
    "yanan",
    "hanzhong",
    "yulin",
    "ankang",
    "shangluo",
    "yangling",
)
pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Settings:
    """A home with published marts, and a store with the demo's people."""
    settings = Settings(home=tmp_path_factory.mktemp("browser"))
    publish_marts(settings, "first")
    store = settings.home / "store" / "crm.sqlite"
    store.parent.mkdir()
    shutil.copy(sqlite_template, store)
    engine = make_engine(url=f"sqlite:///{store}")
    with session_scope(engine) as session:
        create_demo_users(session)
    engine.dispose()
    return settings


@contextmanager
def _served(home: Settings, *arguments: str, ready: str, **variables: str) -> Iterator[None]:
    environment = os.environ | {"CRM_HOME": str(home.home)} | variables
    environment.pop("CRM_DASHBOARD_SCOPE", None)
    server = subprocess.Popen([sys.executable, "-m", "cli.main", *arguments], cwd=ROOT, env=environment)
    try:
        until(lambda: answers(ready), "the server to answer")
        yield
    finally:
        server.terminate()
        assert server.wait(20) in (0, -signal.SIGTERM)


@pytest.fixture(scope="module")
def crm(home: Settings) -> Iterator[tuple[str, int]]:
    """The CRM that signs people in, in a process of its own, and the port that the pages will have."""
    port, pages = free_port(), free_port()
    url = f"http://127.0.0.1:{port}"
    with _served(home, "api", "--port", str(port), ready=f"{url}/readyz", CRM_PAGES_URL=f"http://127.0.0.1:{pages}"):
        yield url, pages


@pytest.fixture(scope="module")
def address(home: Settings, crm: tuple[str, int]) -> Iterator[str]:
    """The pages, served by `crm dashboards` in a process of its own."""
    url = f"http://127.0.0.1:{crm[1]}"
    asked = {"CRM_DASHBOARD_POLL_SECONDS": "3", "CRM_DASHBOARD_CRM_URL": crm[0]}
    with _served(home, "dashboards", "--port", str(crm[1]), ready=f"{url}/_stcore/health", **asked):
        yield url


@pytest.fixture(scope="module")
def as_person(chromium: Any, crm: tuple[str, int], address: str) -> Callable[[str], None]:
    """Sign the browser in as one of the demo's people."""
    tokens: dict[str, str] = {}

    def sign_in(username: str) -> None:
        if username not in tokens:
            body = {"username": username, "password": demo_password(username)}
            tokens[username] = httpx.post(f"{crm[0]}/api/v1/session", json=body, timeout=30).cookies[SESSION_COOKIE]
        if not chromium.current_url.startswith(address):
            chromium.get(f"{address}/_stcore/health")
        chromium.add_cookie({"name": SESSION_COOKIE, "value": tokens[username], "path": "/"})

    return sign_in


@pytest.fixture(scope="module")
def browser(chromium: Any, as_person: Callable[[str], None]) -> Any:
    """Chromium with the window of a small laptop, signed in as the province's analyst."""
    chromium.set_window_size(1280, 1000)
    as_person("analyst")
    return chromium


def _all(browser: Any, selector: str) -> list[Any]:
    return list(browser.find_elements("css selector", selector))


def _text(browser: Any) -> str:
    return str(browser.execute_script("return document.body.innerText"))


def _open(browser: Any, url: str, title: str, charts: int = 3) -> None:
    """Open a page and wait until it is drawn."""
    browser.get(url)
    until(lambda: browser.execute_script(_IS_DRAWN, title, charts), f"{title} with {charts} charts, all drawn")
    assert not _all(browser, "[data-testid=stException]"), _text(browser)


#: Asked at once, since every question to the browser costs time: the title, so many charts, none unfinished, no rerun.
_IS_DRAWN = """
const chart = '[data-testid=stVegaLiteChart]', all = selector => [...document.querySelectorAll(selector)];
return all('h1').some(each => each.innerText === arguments[0]) && all(chart).length >= arguments[1]
  && !all('[data-testid=stStatusWidget]').length && !all(chart + ':not(:has(svg.marks))').length;
"""


def _values(browser: Any, css: str) -> list[str]:
    return [each.get_attribute("value") or each.text for each in _all(browser, css)]


@pytest.mark.parametrize("page", [*PAGES, *MORE])
def test_a_page_is_drawn_for_the_province_in_chinese(browser: Any, address: str, page: str) -> None:
    text = texts("dashboards", "zh-CN")
    path = PAGES.get(page, page.replace("_", "-"))
    _open(browser, f"{address}/{path}?lang=zh-CN", text(f"page.{page}"), (CHARTS | MORE)[page])
    assert text("frame.data", through="2026-11-08 22:00", run="first") in _text(browser)
    assert "分析员" in _text(browser)
    loaded = browser.execute_script("return performance.getEntriesByType('resource').map(entry => entry.name)")
    assert [name for name in loaded if not name.startswith((address, "data:", "blob:"))] == []
    # Streamlit looks for its own base path below a page's address first, which is not there.
    severe = [entry["message"] for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]
    assert [message for message in severe if "/_stcore/" not in message] == []


@pytest.mark.parametrize("page", [*PAGES, *MORE])
def test_a_page_is_drawn_for_a_city_in_english_on_a_phone(
    browser: Any, address: str, page: str, as_person: Callable[[str], None]
) -> None:
    text = texts("dashboards", "en")
    path = PAGES.get(page, page.replace("_", "-"))
    phone = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
    as_person("baoji_analyst")
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", phone)
    try:
        _open(browser, f"{address}/{path}?lang=en&city=xian", text(f"page.{page}"), 0)
        until(lambda: text("notice.city", value="xian") in _text(browser), "that the city is not theirs")
        until(lambda: _values(browser, ".st-key-filter_city input") == ["Baoji"], "the filter to name their city")
        wide = "return document.querySelector('[data-testid=stMain]').scrollWidth"
        assert browser.execute_script(wide) <= 390, page
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        as_person("analyst")


def test_without_a_session_a_page_leads_to_the_sign_in_and_back(
    browser: Any, address: str, crm: tuple[str, int], as_person: Callable[[str], None]
) -> None:
    text = texts("dashboards", "en")
    browser.delete_cookie(SESSION_COOKIE)
    browser.get(f"{address}/closed-loop?lang=en&period=last_7_days")
    link = until(lambda: _all(browser, ".st-key-lead_to a"), "the link to the sign-in")[0]
    assert text("sign_in.needed") in _text(browser) and "first" not in _text(browser)
    link.click()
    until(lambda: _all(browser, "[name=username]"), "the sign-in in the same tab")
    browser.find_element("name", "username").send_keys("baoji_manager")
    browser.find_element("name", "password").send_keys(demo_password("baoji_manager"))
    browser.find_element("css selector", "button.primary").click()
    until(lambda: browser.current_url.startswith(f"{address}/closed-loop?"), "the way back")
    until(lambda: "(7 days)" in _text(browser) and "宝鸡经理" in _text(browser), "the page as it was asked for")
    browser.find_element("css selector", ".st-key-viewer button").click()
    until(lambda: _all(browser, ".st-key-sign_out button"), "the way out")[0].click()
    until(lambda: text("sign_in.needed") in _text(browser), "nobody to be signed in")
    as_person("agent")
    browser.get(f"{address}/?lang=en")
    until(lambda: text("sign_in.not_allowed", name="座席小王") in _text(browser), "the role to be refused")
    as_person("analyst")


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


def test_a_click_on_a_mark_opens_the_rows_behind_it_and_escape_closes_them(browser: Any, address: str) -> None:
    from selenium.webdriver import ActionChains, Keys

    _open(browser, f"{address}/access-channel?lang=en", "Access channel")
    bars = ".st-key-card_channel_mix svg path[aria-label*='Web chat']"
    bar = until(lambda: _all(browser, bars), "a bar")[0]
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", bar)
    ActionChains(browser).move_to_element(bar).click().perform()
    rows = ".st-key-behind_channel_mix_rows"
    until(lambda: _all(browser, rows) and "Web chat: " in _all(browser, rows)[0].text, "the rows")
    for kind in ("csv", "xlsx"):
        until(lambda kind=kind: _all(browser, f".st-key-download_channel_mix_rows_{kind} button"), kind)
    ActionChains(browser).send_keys(Keys.ESCAPE).perform()
    until(lambda: not _all(browser, rows), "the rows to be closed")


def _table(browser: Any, card: str) -> list[list[str]]:
    """What a card's table shows, headings first."""
    script = """
    return [...document.querySelectorAll(arguments[0] + ' canvas tr')].map(
      row => [...row.querySelectorAll('th, td')].map(cell => cell.textContent.trim()))
    """
    rows: list[list[str]] = browser.execute_script(script, f".st-key-card_{card}")
    return rows


def _downloads(browser: Any, card: str, kinds: tuple[str, ...], folder: Path) -> dict[str, bytes]:
    """The files that the buttons of a card give."""
    browser.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(folder)})
    opener = until(lambda: _all(browser, f".st-key-about_{card} button"), "the card's popover")[0]
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", opener)
    opener.click()
    found = {}
    for kind in kinds:
        until(lambda kind=kind: _all(browser, f".st-key-download_{card}_{kind} button"), kind)[0].click()
        pattern = f"{card}_*.{kind}"
        (file,) = until(lambda pattern=pattern: list(folder.glob(pattern)), f"the {kind} file")
        found[kind] = file.read_bytes()
    return found


def test_files_hold_what_the_page_shows_in_its_language(browser: Any, address: str, tmp_path: Path) -> None:
    """Values and headings of a table as CSV and XLSX, and a chart as a picture."""
    text = texts("dashboards", "zh-CN")
    _open(browser, f"{address}/service-quality?lang=zh-CN&period=last_7_days", text("page.service_quality"), 4)
    shown = until(
        lambda: len(_table(browser, "quality_cities")) > len(CITIES) and _table(browser, "quality_cities"), "rows"
    )
    files = _downloads(browser, "quality_cities", ("csv", "xlsx"), tmp_path)
    told = list(csv.reader(io.StringIO(files["csv"].decode("utf-8-sig"))))
    book = openpyxl.load_workbook(io.BytesIO(files["xlsx"]))
    cells = list(book.worksheets[0].iter_rows())
    assert told[0] == [cell.value for cell in cells[0]] == shown[0]
    assert text("card.quality_cities.title") in book.sheetnames[0]
    assert len(told) == len(cells) == len(shown) == len(CITIES) + 1
    for line, row, seen in zip(told[1:], cells[1:], shown[1:], strict=True):
        assert line[0] == row[0].value == seen[0]
        for value, cell, number in zip(line[1:], row[1:], seen[1:], strict=True):
            if not value:
                assert cell.value is None and number in ("", "–", "null", "None"), number
                continue
            # The page's own table holds shares in per cent.
            times = 100 if "%" in cell.number_format else 1
            assert [float(value), float(str(cell.value))] == pytest.approx([float(number) / times] * 2)
    browser.refresh()
    _open(browser, f"{address}/service-quality?lang=zh-CN&period=last_7_days", text("page.service_quality"), 4)
    picture = Image.open(io.BytesIO(_downloads(browser, "quality_scores", ("png",), tmp_path)["png"]))
    assert picture.format == "PNG" and picture.width > 1800
    assert len(picture.convert("RGB").getcolors(1 << 20) or []) > 20, "something is drawn"


def test_a_note_is_seen_in_a_city_which_cannot_take_it_away_and_a_view_restores_the_filters(
    browser: Any, address: str, as_person: Callable[[str], None]
) -> None:
    def type_into(key: str, words: str) -> None:
        field = until(lambda: _all(browser, f".st-key-{key} input"), key)[0]
        field.click()
        field.send_keys(words)

    def send(key: str) -> None:
        browser.find_element("css selector", f".st-key-{key} button").click()

    _open(browser, f"{address}/?lang=en&period=last_7_days", "Overview")
    send("notes")
    type_into("note_text", "Fibre cut <b>")
    send("note_send")
    until(lambda: "Notes (1)" in _text(browser), "the note")
    flag = ".st-key-card_trend_contacts svg [aria-label*='Fibre cut']"
    until(lambda: _all(browser, flag), "its flag on the timeline")
    _open(browser, f"{address}/?lang=en&period=last_7_days&city=yulin", "Overview")
    send("views")
    type_into("view_name", "weekly")
    send("view_send")
    weekly = "[class*=st-key-view_] button"
    until(lambda: [each for each in _all(browser, weekly) if "weekly" in each.text], "the view to be kept")
    _open(browser, f"{address}/access-channel?lang=zh-CN&period=last_28_days&city=xian", "接入方式")
    send("views")
    kept = until(lambda: [each for each in _all(browser, weekly) if "weekly" in each.text], "the view")
    kept[0].click()
    until(lambda: "Overview" in _text(browser).splitlines() and "(7 days)" in _text(browser), "the view's page")
    until(lambda: _values(browser, ".st-key-filter_city input") == ["Yulin"], "the view's city")
    as_person("baoji_manager")
    _open(browser, f"{address}/?lang=en&period=last_7_days", "Overview")
    until(lambda: _all(browser, flag), "the province's note in a city")
    send("notes")
    until(lambda: "Fibre cut <b>" in _text(browser), "the note's words")
    assert not _all(browser, ".st-key-note_1 button")
    as_person("analyst")


def test_a_new_publication_appears_without_a_restart_and_a_rollback_too(
    browser: Any, address: str, home: Settings
) -> None:
    from warehouse.publication import roll_back

    _open(browser, f"{address}/?lang=en", "Overview")
    publish_again(home.home, home, "second")
    until(lambda: "run second" in _text(browser), "the new publication")
    roll_back(home)
    until(lambda: "run first" in _text(browser), "the publication before")
    assert not _all(browser, "[data-testid=stException]")

"""A real Chromium for tests, and waiting for what it will show."""

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from tests.servers import missing

#: Nothing that a test does not ask for: no first-run pages, no updates, no calls home.
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1400,1000",
)
PATIENCE = 60.0
#: Waits are told as on an idle machine; this one may be busy. What is there sooner ends them sooner.
BUSY = 4


@contextmanager
def open_chromium(profile: Path, *flags: str) -> Iterator[Any]:
    """A headless Chromium with its own profile, whose console is kept (`get_log("browser")`)."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not chromium or not driver:
        missing("Chromium", "install the packages chromium and chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = str(chromium)
    for flag in (*FLAGS, *flags, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    opened = webdriver.Chrome(options=options, service=Service(str(driver)))
    try:
        yield opened
    finally:
        opened.quit()


def until(condition: Callable[[], Any], what: str, patience: float = PATIENCE) -> Any:
    """What `condition` gives once it is true; the test fails if `patience` seconds of an idle machine are too few."""
    from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException

    patience *= BUSY
    end = time.monotonic() + patience
    while time.monotonic() < end:
        try:
            if found := condition():
                return found
        except (NoSuchElementException, StaleElementReferenceException):
            pass
        time.sleep(0.05)
    pytest.fail(f"waited {patience:.0f} s for {what}")


def answers(url: str) -> bool:
    """Whether a server answers there with 200."""
    try:
        with urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False

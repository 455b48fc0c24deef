"""The served capture frontend and a browser at which people sit down."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from sqlalchemy import Engine

from crm_api.identity.service import demo_password
from tests.browser import until


@dataclass(frozen=True)
class Site:
    """The served frontend and its store."""

    url: str
    engine: Engine
    customers: dict[str, int]


class Desk:
    """A browser at which people sit down, one after the other."""

    def __init__(self, driver: Any, site: Site) -> None:
        self.driver = driver
        self.site = site

    def all(self, selector: str) -> list[Any]:
        """The elements that match now."""
        return list(self.driver.find_elements("css selector", selector))

    def one(self, selector: str) -> Any:
        """The first visible element that matches, awaited."""
        return until(lambda: next((each for each in self.all(selector) if each.is_displayed()), None), selector)

    def open(self, path: str) -> None:
        """Load a page as by its address."""
        self.driver.get(self.site.url + path)

    def follow(self, selector: str) -> None:
        """Click a link and wait until its page stands where this one stood."""
        before = self.one("#main h1")
        self.one(selector).click()
        until(lambda: _is_gone(before), f"the page of {selector}")

    def sit_down(self, username: str, language: str = "zh-CN") -> None:
        """Sign in by the form."""
        self.driver.delete_all_cookies()
        self.open(f"/sign-in?lang={language}")
        self.one("[name=username]").send_keys(username)
        self.one("[name=password]").send_keys(demo_password(username))
        self.one("button.primary").click()
        self.one("#main h1")
        self.driver.execute_script("window.sameShell = true")

    def text(self, selector: str) -> str:
        """The visible text of the first element."""
        return str(self.one(selector).text)

    def wait_for(self, text: str, selector: str = "main") -> None:
        """Until `text` is to be read there."""
        until(lambda: text in self.driver.find_element("css selector", selector).text, f"{text!r} in {selector}")

    def step(self, code: str, **fields: str) -> None:
        """Take a step on the ticket's page: open its form if it has one, fill it in, send it."""
        from selenium.webdriver.support.select import Select

        form, version = f"form[data-step={code}]", self._version()
        if self.all(f"{form} summary"):
            self.one(f"{form} summary").click()
        for name, value in fields.items():
            control = self.one(f"{form} [name={name}]")
            if control.tag_name == "select":
                Select(control).select_by_visible_text(value)
            else:
                control.clear()
                control.send_keys(value)
        self.one(f"{form} button").click()
        until(lambda: self._version() > version, f"the step {code} on {self.driver.current_url}")

    def _version(self) -> int:
        return int(self.driver.find_element("css selector", "#ticket").get_attribute("data-version"))

    @contextmanager
    def client(self) -> Iterator[httpx.Client]:
        """A program that calls with this browser's session."""
        cookies = {cookie["name"]: cookie["value"] for cookie in self.driver.get_cookies()}
        with httpx.Client(base_url=self.site.url, cookies=cookies, timeout=60) as client:
            client.headers["X-CSRF-Token"] = client.get("/api/v1/session").json()["csrf_token"]
            yield client


def _is_gone(element: Any) -> bool:
    from selenium.common.exceptions import StaleElementReferenceException

    try:
        element.is_enabled()
    except StaleElementReferenceException:
        return True
    return False


def capture_complaint(desk: Desk) -> int:
    """An agent takes a complaint of the key customer; the ticket's id."""
    from selenium.webdriver.support.select import Select

    desk.sit_down("agent")
    desk.open(f"/app/capture?customer_id={desk.site.customers['zhang']}")
    assert "大客户" in desk.text(".beside .banner")
    desk.driver.execute_script("document.querySelector('[name=service_type_code][value=complaint]').click()")
    desk.one("textarea[name=text]").send_keys("机顶盒无信号，红灯常亮")
    Select(desk.one("[name=complaint_type_code]")).select_by_value("signal.digital_tv.no_picture")
    desk.one("[data-send-ticket]").click()
    link = desk.one("#made a")
    return int(link.get_attribute("href").rsplit("/", 1)[1])

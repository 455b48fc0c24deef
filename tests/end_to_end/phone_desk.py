"""A contact centre with telephones: its store, its exchange, its pages, the desks and a phone on one of them."""

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine, select

from cli.demo_telephony import Telephony, telephony
from core.database import make_engine, session_scope
from core.settings import Settings
from crm_api.identity.models import User
from crm_api.identity.service import create_demo_users
from crm_api.routing.phones import OwnPhone, assign, own_phone
from crm_api.workforce.models import Queue
from telephony.asterisk.plan import Ports
from telephony.asterisk.private import is_installed
from tests.browser import until
from tests.crm_api.world import PEOPLE, add_customer
from tests.end_to_end.conftest import serving
from tests.end_to_end.desk import Desk, Site
from tests.servers import free_media_ports, free_port, missing
from tests.telephony.conftest import ROOT as ASTERISK
from tests.telephony.voice import Voice

#: A browser with a microphone that beeps, and that may speak with an exchange on its own machine.
MICROPHONE = (
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--allow-loopback-in-peer-connection",
    "--autoplay-policy=no-user-gesture-required",
)
CALLER = PEOPLE["own"]["mobile"].removeprefix("+86")
QUEUES = (("general", "综合"), ("complaint", "投诉"))


#: Who has a phone on the desk instead of one in the browser.
AT_THE_DESK = "dispatcher"


@dataclass(frozen=True)
class Centre:
    """A contact centre that runs."""

    settings: Settings
    engine: Engine
    phones: Telephony
    site: Site
    #: Whom calls to numbers outside reach.
    carrier: Voice

    def phone_of(self, username: str) -> OwnPhone:
        """Somebody's phone."""
        with session_scope(self.engine) as session:
            user_id = session.scalars(select(User.id).where(User.username == username)).one()
            return own_phone(session, user_id)

    @contextmanager
    def caller(self, *keys: str, tone: int = 900) -> Iterator[Voice]:
        """A customer who calls and presses keys in the menu; in the queue, once the block begins."""
        with Voice(self.phones.pbx.plan, CALLER, tone=tone) as caller:
            assert caller.call("96766") == 200
            for number, key in enumerate(keys):
                until(lambda count=20 + 60 * number: caller.received > count, "the menu to speak", 20)  # type: ignore[misc]  # a default binds the round's number
                caller.press(key)
            yield caller


@contextmanager
def phone_centre(home: Path, template: Path) -> Iterator[Centre]:
    """Store, Asterisk, listener, IVR and pages; two queues; the demo's people have phones."""
    if os.geteuid() != 0:
        missing("root (Asterisk runs in a Debian system of its own)", "run the tests as root")
    if not is_installed(ASTERISK):
        missing("The private Asterisk", "run: make asterisk")
    (home / "store").mkdir()
    shutil.copy(template, home / "store" / "crm.sqlite")
    settings = Settings(home=home)
    engine = make_engine(settings)
    with session_scope(engine) as session:
        create_demo_users(session)
        zhang = add_customer(session, PEOPLE["own"], key_level="gold")
        session.add_all(Queue(code=code, name_zh=name, name_en=code, calendar_code="always") for code, name in QUEUES)
        session.flush()
        assign(session, username=AT_THE_DESK, kind="sip")
        customers = {"zhang": zhang.id}
    (first, last), carrier_port = free_media_ports(), free_port()
    ports = Ports(
        sip=free_port(), manager=free_port(), http=free_port(), agi=free_port(), rtp_first=first, rtp_last=last
    )
    with ExitStack() as running:
        name = f"e2e-{ports.manager}"
        phones = running.enter_context(telephony(settings, ASTERISK, name, ports, carrier_port))
        running.callback(shutil.rmtree, phones.pbx.state, ignore_errors=True)
        carrier = running.enter_context(Voice(phones.pbx.plan, "carrier", port=carrier_port, tone=1700))
        url, _ = running.enter_context(serving(home, CRM_PHONE_SOCKET=phones.socket))
        yield Centre(settings, engine, phones, Site(url, engine, customers), carrier)
    engine.dispose()


class PhoneDesk(Desk):
    """A desk with a telephone in its browser."""

    def sit_down(self, username: str, language: str = "zh-CN") -> None:
        """Sign in and wait until the phone is registered and telephony tells the agent's state."""
        super().sit_down(username, language)
        until(lambda: self.phone("line") in ("registered", "desk"), f"{username}'s phone")
        until(lambda: self.phone("state") != "unknown", "the agent's state")

    def phone(self, what: str) -> str:
        """An attribute of the telephone bar."""
        return str(self.driver.find_element("css selector", "#phone").get_attribute(f"data-{what}"))

    def hidden_text(self, selector: str) -> str:
        """The text of an element, shown or not."""
        return str(self.driver.find_element("css selector", selector).get_attribute("textContent"))

    def calls(self) -> list[str]:
        """What each call does."""
        return [str(each.get_attribute("data-doing")) for each in self.all(".phone-call")]

    def wish(self, value: str, state: str) -> None:
        """Ask for a state and wait until telephony says so."""
        from selenium.webdriver.support.select import Select

        Select(self.one("#phone-wish")).select_by_value(value)
        until(lambda: self.phone("state") == state, f"the state {state}", 20)

    def type_target(self, number: str) -> None:
        """Name to whom the next call or transfer goes."""
        field = self.one("#phone-dial [name=target]")
        field.clear()
        field.send_keys(number)

    def press(self, action: str, number: int = 0) -> None:
        """A button of the call that stands at `number`."""
        self.one(f".phone-call:nth-of-type({number + 1}) [data-phone={action}]").click()

    def until_calls(self, *expected: str) -> None:
        """Until the calls do that."""
        until(lambda: self.calls() == list(expected), f"calls {expected}", 20)

    def packets(self) -> tuple[int, int]:
        """(sent, received) of the first call."""
        call = self.all(".phone-call")[0]
        return int(call.get_attribute("data-sent") or 0), int(call.get_attribute("data-received") or 0)

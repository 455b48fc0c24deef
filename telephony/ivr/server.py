"""`crm telephony ivr`: one FastAGI server, a thread a call."""

from dataclasses import dataclass
from pathlib import Path

from core.database import make_engine
from core.settings import Settings
from crm_api.routing.callers import look_up
from telephony.agi import AgiServer
from telephony.ivr.conversation import Ivr
from telephony.ivr.menu import MENU_FILE, load
from telephony.ivr.store_access import LOOK_UP_SECONDS, Lookups, Writer, impatient_engine


@dataclass
class IvrServer:
    """A server and what it writes with; `close` ends both."""

    server: AgiServer
    writer: Writer

    def close(self) -> None:
        """Take no more calls; write what is waiting."""
        self.server.shutdown()
        self.server.server_close()
        self.writer.close()


def make_server(
    settings: Settings, address: tuple[str, int], *, menu: Path = MENU_FILE, seconds: float = LOOK_UP_SECONDS
) -> IvrServer:
    """A server that listens and does not serve yet (`server.serve_forever`); it needs no store to start.

    Raises:
        ConfigurationError: the menu is wrong.
        OSError: the address is taken.
    """
    lookups = Lookups(impatient_engine(settings.store_url, seconds=seconds), seconds=seconds)
    loaded = load(menu)
    # What the first caller would wait for: connections, statements, the data of number prefixes.
    lookups.within(lambda session: look_up(session, "13800138000"))
    writer = Writer(make_engine(settings))
    ivr = Ivr(loaded, lookups, writer)
    # A caller may take a while to press a key; Asterisk itself ends a visit after LONGEST_SECONDS.
    return IvrServer(AgiServer(address, ivr.handle, timeout=300), writer)

"""What a round does while the store is away: say so once, try ever more rarely, say once that it is back."""

import logging
from threading import Event

_LOG = logging.getLogger("crm.worker")
#: Seconds between tries at most.
LONGEST = 30.0


class Patience:
    """The pause before a job's next round."""

    def __init__(self, name: str, interval: float) -> None:
        self._name = name
        self._interval = interval
        self._pause = interval
        self.is_away = False

    def wait(self, stop: Event, spent: float = 0.0) -> bool:
        """Wait for the next round (less the seconds already spent); True if `stop` was set meanwhile."""
        return stop.wait(max(0.0, self._pause - spent))

    def failed(self, error: object) -> None:
        """The store did not answer in this round."""
        if not self.is_away:
            _LOG.warning("%s: the store does not answer, trying again until it does: %s", self._name, error)
        self.is_away = True
        self._pause = min(LONGEST, max(self._pause, 0.5) * 2)

    def worked(self) -> None:
        """The store answered in this round."""
        if self.is_away:
            _LOG.warning("%s: the store answers again", self._name)
        self.is_away, self._pause = False, self._interval

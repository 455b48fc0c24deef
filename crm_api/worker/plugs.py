"""Jobs of the floors above that the worker does beside its own: `cli` puts them here."""

from collections.abc import Callable
from threading import Event

from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from crm_api.worker.patience import Patience

#: Each takes one piece of waiting work, if there is any, and says whether it did.
Job = Callable[[Engine], bool]
JOBS: list[Job] = []


def work_jobs(engine: Engine) -> int:
    """Do all that waits now; how many pieces."""
    done = 0
    for job in JOBS:
        while job(engine):
            done += 1
    return done


def work(engine: Engine, stop: Event, *, interval: float = 1.0) -> None:
    """Rounds until `stop`; beside the worker's own thread, so that a long build delays no escalation."""
    patience = Patience("jobs", interval)
    while not patience.wait(stop):
        try:
            work_jobs(engine)
        except OperationalError as error:
            patience.failed(error.orig)
        else:
            patience.worked()

"""One build or publication at a time per installation."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager

from core.errors import ConfigurationError, CrmError
from core.settings import Settings
from core.time import utc_now


class WarehouseBusyError(CrmError):
    """Another process is building or publishing."""

    can_pass = True


@contextmanager
def warehouse_lock(settings: Settings, work: str) -> Iterator[None]:
    """Hold the warehouse for `work`; the lock goes with the process, however it ends.

    Raises:
        WarehouseBusyError: another process holds it; names that process and since when.
    """
    path = settings.warehouse_file.parent / "warehouse.lock"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        held = path.open("a+", encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be written: {error}.", "Mend CRM_HOME or its rights.") from error
    with held as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            raise WarehouseBusyError(
                f"The warehouse is in use: {file.read().strip() or 'another process'}.",
                "Wait for it to end, then try again.",
            ) from error
        file.truncate(0)
        file.write(json.dumps({"work": work, "process": os.getpid(), "since": utc_now().isoformat()}))
        file.flush()
        yield

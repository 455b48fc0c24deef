"""What the schedules share: time zone, pool, assets, retries that can help, and who is told of failures."""

import os
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from airflow.sdk import Asset
from airflow.sdk.exceptions import AirflowFailException

from core.errors import CrmError
from core.settings import TIME_ZONE
from dags.alerts import told_of_delay, told_of_failure

__all__ = [
    "BEGIN",
    "CAPTURE_SCHEDULE",
    "DEFAULTS",
    "MARTS",
    "MODELS",
    "WAREHOUSE_POOL",
    "ZONE",
    "step",
    "told_of_delay",
]

P = ParamSpec("P")
R = TypeVar("R")

#: The marts that readers see; the models in use.
MARTS = Asset(name="published_marts", uri="crm://published/marts")
MODELS = Asset(name="models_in_use", uri="crm://models/champions")
#: DuckDB has one writer: every task that opens the warehouse takes this pool's only slot.
WAREHOUSE_POOL = "warehouse"
#: When what was captured goes to the marts (cron, local time): CRM_CAPTURE_SCHEDULE.
CAPTURE_SCHEDULE = os.environ.get("CRM_CAPTURE_SCHEDULE", "*/15 * * * *")
#: Schedules begin here; nothing before is caught up.
BEGIN = datetime.fromisoformat("2026-01-01T00:00:00+08:00")
ZONE = TIME_ZONE

DEFAULTS: dict[str, Any] = {
    "retries": 3,
    "retry_delay": timedelta(minutes=1),
    "retry_exponential_backoff": True,
    "max_retry_delay": timedelta(minutes=15),
    "on_failure_callback": told_of_failure,
}


def step(function: Callable[P, R]) -> Callable[P, R]:
    """Fail at once where a retry cannot help.

    A store that is away may be back in a minute; a failed gate or test, wrong input or a wrong setting stays wrong
    until a person mends it.
    """

    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except CrmError as error:
            if error.can_pass:
                raise
            raise AirflowFailException(str(error)) from error

    return run

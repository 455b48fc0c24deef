"""`crm worker` with the jobs of the floors above: lists are built by `ml.lists`."""

from sqlalchemy import Engine

from crm_api.worker.commands import worker
from crm_api.worker.plugs import JOBS

__all__ = ["worker"]


def _build_lists(engine: Engine) -> bool:
    from crm_api.campaigns.building import build_next
    from ml.lists import solve

    return build_next(engine, solve) is not None


JOBS.append(_build_lists)

"""`crm api` with the skills of the floors above: complaint types are suggested by the model in use, if there is one."""

import logging
from collections.abc import Sequence
from threading import Thread
from time import sleep
from typing import Any

from fastapi import FastAPI

from crm_api.commands import make_api

_LOG = logging.getLogger("crm.suggestions")
_MODEL = "complaints"
_LOOK_SECONDS = 60.0


class ModelSuggester:
    """The registered complaint model as crm_api's port."""

    def __init__(self, model: Any) -> None:
        self._model = model

    def suggest(self, text: str) -> Sequence[tuple[str, float]]:
        """(code, confidence) pairs, likeliest first."""
        found = self._model.suggest([text])[0]
        return [(".".join(each.levels), float(each.confidence)) for each in found]


def plug_model(known: str | None = None) -> str | None:
    """Plug the version in use in, unless it is `known`; the version that is plugged now."""
    from core.settings import get_settings
    from crm_api.suggestions.port import SOCKET
    from ml import registry

    settings = get_settings()
    champion = registry.champion(settings, _MODEL)
    if champion is None or champion.version == known:
        return known
    SOCKET.plug(ModelSuggester(registry.load(settings, _MODEL)))
    return champion.version


def _keep_plugged() -> None:
    """Follow the model in use: a newly trained one serves within a minute, a damaged one leaves the old in place."""
    from core.errors import CrmError

    known: str | None = None
    while True:
        try:
            known = plug_model(known)
        except (CrmError, OSError, ValueError, KeyError, TypeError, ImportError) as error:
            _LOG.warning("no complaint types are suggested: %s", error)
        sleep(_LOOK_SECONDS)


def create_app() -> FastAPI:
    """The application with the model plugged in, for each of uvicorn's processes."""
    from crm_api.app import create_app as create

    # Reading a model takes seconds: nobody waits for it.
    Thread(target=_keep_plugged, daemon=True, name="suggestions").start()
    return create()


api = make_api("cli.api:create_app")

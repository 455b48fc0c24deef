"""Complaint types while somebody types: the model in use behind one call."""

from core.settings import Settings
from ml import registry
from ml.complaints import MODEL
from ml.models import ComplaintClassifier


class Suggester:
    """The complaint model in use; safe to call from several threads, a few milliseconds a text.

    Attributes:
        version: of the model.
        threshold: confidence from which on nine of ten suggestions are right.
    """

    def __init__(self, model: ComplaintClassifier, version: str) -> None:
        self._model = model
        self.version = version
        self.threshold = float(model.threshold_)

    def suggest(self, text: str, top: int = 3) -> list[tuple[str, float]]:
        """(complaint type code, confidence) pairs, likeliest first; none for a text without words."""
        return [(".".join(each.levels), each.confidence) for each in self._model.suggest([text], top=top)[0]]


def load(settings: Settings) -> Suggester | None:
    """The suggester of the version in use; None if no complaint model was trained."""
    used = registry.champion(settings, MODEL)
    if used is None:
        return None
    return Suggester(registry.load(settings, MODEL, used.version), used.version)

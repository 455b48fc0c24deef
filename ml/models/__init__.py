"""Estimators in scikit-learn's conventions, usable on any table."""

from ml.models.complaints import ComplaintClassifier, Suggestion
from ml.models.propensity import PropensityClassifier
from ml.models.segments import Segmenter
from ml.models.text import deduplicate
from ml.models.uplift import UpliftClassifier
from ml.models.value import CustomerValue
from ml.models.volume import VolumeForecaster

__all__ = [
    "ComplaintClassifier",
    "CustomerValue",
    "PropensityClassifier",
    "Segmenter",
    "Suggestion",
    "UpliftClassifier",
    "VolumeForecaster",
    "deduplicate",
]

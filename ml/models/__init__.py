"""Estimators in scikit-learn's conventions, usable on any table."""

from ml.models.propensity import PropensityClassifier
from ml.models.segments import Segmenter
from ml.models.uplift import UpliftClassifier

__all__ = ["PropensityClassifier", "Segmenter", "UpliftClassifier"]

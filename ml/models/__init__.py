"""Estimators in scikit-learn's conventions, usable on any table."""

from ml.models.propensity import PropensityClassifier

__all__ = ["PropensityClassifier"]

"""How good a model, a forecast or a targeting rule is."""

from core.trial import Effect, effect, sample_needed
from ml.evaluation.drift import Bins, psi
from ml.evaluation.forecasts import coverage, mase, wape
from ml.evaluation.ranking import calibration_error, calibration_table, lift_at
from ml.evaluation.splits import TimeGapSplit, time_gap_split
from ml.evaluation.uplift import ColumnRule, Qini, best_column_rule, qini, qini_curve, qini_gain

__all__ = [
    "Bins",
    "ColumnRule",
    "Effect",
    "Qini",
    "TimeGapSplit",
    "best_column_rule",
    "calibration_error",
    "calibration_table",
    "coverage",
    "effect",
    "lift_at",
    "mase",
    "psi",
    "qini",
    "qini_curve",
    "qini_gain",
    "sample_needed",
    "time_gap_split",
    "wape",
]

"""Metrics, intervals by patient, thresholds and calibration: numpy alone."""

from wholecase.evaluation.calibration import (
    apply_temperature,
    calibration_slope,
    fit_temperature,
)
from wholecase.evaluation.curves import (
    Curve,
    DecisionCurve,
    Reliability,
    confusion,
    decision_curve,
    expected_calibration_error,
    precision_recall,
    reliability,
    roc,
)
from wholecase.evaluation.intervals import Interval, mean_interval, measure, paired_difference
from wholecase.evaluation.metrics import METRICS, Metric
from wholecase.evaluation.ranking import auroc
from wholecase.evaluation.scores import Scores
from wholecase.evaluation.thresholds import THRESHOLDS

__all__ = [
    "METRICS",
    "THRESHOLDS",
    "Curve",
    "DecisionCurve",
    "Interval",
    "Metric",
    "Reliability",
    "Scores",
    "apply_temperature",
    "auroc",
    "calibration_slope",
    "confusion",
    "decision_curve",
    "expected_calibration_error",
    "fit_temperature",
    "mean_interval",
    "measure",
    "paired_difference",
    "precision_recall",
    "reliability",
    "roc",
]

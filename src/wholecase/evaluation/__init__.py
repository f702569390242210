"""Metrics, intervals by patient, thresholds and calibration: numpy, scipy and scikit-learn."""

from wholecase.evaluation.abstaining import (
    COVERS,
    SURE,
    Zone,
    set_limits,
    sets_of,
    share,
    zone_of,
)
from wholecase.evaluation.admission import Rule, Standing, standings, vote_weights
from wholecase.evaluation.apart import Far, far_judges, shares_of_pairs
from wholecase.evaluation.baselines import BASELINES, Sides, Vectors, baseline, mean_features
from wholecase.evaluation.calibration import (
    HIGHEST,
    LOWEST,
    apply_temperature,
    bias_corrected,
    fit_temperature,
    smoothed_temperature,
    undo_temperature,
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
from wholecase.evaluation.delong import Areas, areas, delong
from wholecase.evaluation.honesty import bins_for, calibration_intercept, calibration_slope, said
from wholecase.evaluation.in_the_large import (
    error_if_honest,
    integrated_index,
    observed_expected,
)
from wholecase.evaluation.interval import FEW, Gap, Interval
from wholecase.evaluation.intervals import mean_drop, mean_interval, measure, paired_difference
from wholecase.evaluation.mcnemar import mcnemar
from wholecase.evaluation.metric import Metric
from wholecase.evaluation.metrics import METRICS
from wholecase.evaluation.novelty import Familiar, Novelty, learn_familiar, together
from wholecase.evaluation.overlap import Errors, Overlap, overlap
from wholecase.evaluation.paired_tests import paired_tests
from wholecase.evaluation.planning import Plan, plan
from wholecase.evaluation.prevalence import (
    Predictive,
    estimated_prevalence,
    predictive_values,
    reweighted,
)
from wholecase.evaluation.ranking import auroc
from wholecase.evaluation.resampled import over_folds, p_of_chance
from wholecase.evaluation.scores import Scores
from wholecase.evaluation.simulated import Held, held
from wholecase.evaluation.thresholds import (
    THRESHOLDS,
    ThresholdChoice,
    ThresholdRule,
    threshold_rule,
)

__all__ = [
    "BASELINES",
    "COVERS",
    "FEW",
    "HIGHEST",
    "LOWEST",
    "METRICS",
    "SURE",
    "THRESHOLDS",
    "Areas",
    "Curve",
    "DecisionCurve",
    "Errors",
    "Familiar",
    "Far",
    "Gap",
    "Held",
    "Interval",
    "Metric",
    "Novelty",
    "Overlap",
    "Plan",
    "Predictive",
    "Reliability",
    "Rule",
    "Scores",
    "Sides",
    "Standing",
    "ThresholdChoice",
    "ThresholdRule",
    "Vectors",
    "Zone",
    "apply_temperature",
    "areas",
    "auroc",
    "baseline",
    "bias_corrected",
    "bins_for",
    "calibration_intercept",
    "calibration_slope",
    "confusion",
    "decision_curve",
    "delong",
    "error_if_honest",
    "estimated_prevalence",
    "expected_calibration_error",
    "far_judges",
    "fit_temperature",
    "held",
    "integrated_index",
    "learn_familiar",
    "mcnemar",
    "mean_drop",
    "mean_features",
    "mean_interval",
    "measure",
    "observed_expected",
    "over_folds",
    "overlap",
    "p_of_chance",
    "paired_difference",
    "paired_tests",
    "plan",
    "precision_recall",
    "predictive_values",
    "reliability",
    "reweighted",
    "roc",
    "said",
    "set_limits",
    "sets_of",
    "share",
    "shares_of_pairs",
    "smoothed_temperature",
    "standings",
    "threshold_rule",
    "together",
    "undo_temperature",
    "vote_weights",
    "zone_of",
]

"""What each word on the page means, in one sentence for a reader who is no statistician."""

METRIC_NAMES: dict[str, str] = {
    "auroc": "AUROC",
    "auprc": "AUPRC",
    "balanced_accuracy": "Balanced accuracy",
    "sensitivity": "Sensitivity",
    "specificity": "Specificity",
    "f1": "F1 score",
    "accuracy": "Accuracy",
    "brier": "Brier score",
    "localisation_auc": "Localisation AUROC",
}
"""Metrics in the order of the page; others follow under their own name."""

TERMS: dict[str, str] = {
    "AUROC": (
        "The chance that a randomly drawn case of the class gets a higher probability than a "
        "randomly drawn case without it; 0.5 is a coin toss, 1 is perfect."
    ),
    "AUPRC": (
        "The precision averaged over all sensitivities; a coin toss reaches the share of the "
        "class among the cases, 1 is perfect."
    ),
    "Balanced accuracy": (
        "The share of right decisions, averaged over the classes, so that a frequent class "
        "does not drown a rare one; guessing reaches 0.5 with two classes."
    ),
    "Accuracy": (
        "The share of right decisions; misleading where one class is rare, since always naming the "
        "frequent class looks good."
    ),
    "Sensitivity": "Of the cases that have the class, the share that the model found.",
    "Specificity": "Of the cases that do not have the class, the share that the model cleared.",
    "F1 score": (
        "The harmonic mean of precision and sensitivity: high only when few cases are missed "
        "and few are called wrongly."
    ),
    "Brier score": (
        "The mean squared distance between probability and truth; 0 is perfect, lower is better."
    ),
    "Localisation AUROC": (
        "How well the heatmap singles out the annotated region: the chance that a place inside "
        "gets more weight than one outside; 0.5 is a coin toss."
    ),
    "95 % interval": (
        "If patients were drawn anew many times, about 95 % of such intervals would hold the "
        "true value; made by resampling patients."
    ),
    "Precision": "Of the cases that the model called positive, the share that truly are.",
    "Threshold": (
        "A case is called positive from this probability on; chosen on inner patients, never on "
        "those it is judged by."
    ),
    "Temperature": (
        "The number that the model's raw scores are divided by so that its probabilities mean "
        "what they say; above 1 it was too sure of itself."
    ),
    "Fold": (
        "One round of the experiment: a part of the patients is set aside for judging, the others "
        "teach the model."
    ),
    "Epoch": "One pass of training over all teaching cases.",
    "Loss": "What training makes small: how far the probabilities are from the truth.",
    "Calibration": (
        "Whether probabilities are honest: of the cases called 80 % likely, 80 % should be so."
    ),
    "Heatmap": "Where the model looked: the warmer a place, the more it weighed in the answer.",
    "Train": "Patients that the model learns from.",
    "Valid": (
        "Inner patients, apart from the teaching ones, that decide when to stop, the threshold "
        "and the temperature."
    ),
    "Test": "Patients set aside: judged once, by a model that never saw them.",
    "Encoder": "The network that turns an image region into numbers for the model.",
    "Cut": "How an image is cut into the regions that the model looks at.",
    "Digest of splits": "A fingerprint of who stood where: equal digests mean equal splits.",
    "Seed": "The number that all random draws start from; the same seed repeats the run.",
    "Instances": "Regions that the images were cut into; the model weighs each of them.",
    "Site": "Where a case comes from: a hospital, a scanner or a source.",
}


def metric_name(name: str) -> str:
    """The metric's name for people.

    >>> metric_name("f1"), metric_name("kappa_score")
    ('F1 score', 'Kappa score')
    """
    return METRIC_NAMES.get(name, name.replace("_", " ").capitalize())

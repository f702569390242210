"""What each word on the page means, in one sentence for a reader who is no statistician."""

METRIC_NAMES: dict[str, str] = {
    "auroc": "AUROC",
    "auprc": "AUPRC",
    "balanced_accuracy": "Balanced accuracy",
    "sensitivity": "Sensitivity",
    "specificity": "Specificity",
    "f1": "F1 score",
    "accuracy": "Accuracy",
    "matthews": "Matthews correlation",
    "brier": "Brier score",
    "ece": "Calibration error",
    "calibration_slope": "Calibration slope",
    "calibration_intercept": "Calibration intercept",
    "separation": "Separation",
    "auroc_pooled": "AUROC across folds",
    "auprc_pooled": "AUPRC across folds",
    "localisation_auc": "Localisation AUROC",
}
"""Metrics in the order of the page; others follow under their own name."""

TERMS: dict[str, str] = {
    "AUROC": (
        "The chance that a randomly drawn case of the class gets a higher probability than a "
        "randomly drawn case without it; 0.5 is a coin toss, 1 is perfect. Of several folds "
        "only cases that the same model judged are compared."
    ),
    "AUROC across folds": (
        "The AUROC as if one model had judged all folds: it compares cases that different models "
        "judged, and falls where these speak on different scales, whatever each can tell apart."
    ),
    "AUPRC across folds": (
        "The AUPRC as if one model had judged all folds; that of the headline is the mean of the "
        "folds', each weighted by its positives."
    ),
    "AUPRC": (
        "The precision averaged over all sensitivities; a coin toss reaches the share of the "
        "class among the cases, 1 is perfect."
    ),
    "Balanced accuracy": (
        "The share of right decisions, averaged over the classes, so that a frequent class "
        "does not drown a rare one; guessing reaches 0.5 with two classes."
    ),
    "Separation": (
        "The mean probability of the cases that have the class less that of those that do not: "
        "below 0.10 poor, to 0.20 moderate, to 0.30 good, above excellent. Calibration moves it."
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
    "Matthews correlation": (
        "How far decisions and truth go together, over all four kinds of right and wrong: 1 is "
        "perfect, 0 is guessing, −1 the reverse."
    ),
    "Calibration error": (
        "Expected calibration error (ECE): how far what was said lies from what was so, on average "
        "over groups of cases with a similar probability; 0 is honest."
    ),
    "Calibration slope": (
        "1 is honest; below 1 the probabilities are too extreme, above 1 too timid."
    ),
    "Calibration intercept": (
        "What all log odds lack for as many cases as were said to be positive: 0 is honest; above "
        "0 the probabilities are too low on the whole, below 0 too high."
    ),
    "Localisation AUROC": (
        "How well the heatmap singles out the annotated region: the chance that a place inside "
        "gets more weight than one outside; 0.5 is a coin toss."
    ),
    "95 % interval": (
        "If patients were drawn anew many times, about 95 % of such intervals would hold the "
        "true value; made by resampling patients, and by a formula where these are few."
    ),
    "Precision": "Of the cases that the model called positive, the share that truly are.",
    "Threshold": (
        "A case is called positive above this probability; chosen on inner patients, never on "
        "those it is judged by."
    ),
    "Temperature": (
        "The number that the model's raw scores are divided by so that its probabilities mean "
        "what they say; above 1 it was too sure of itself. A shift may be added to the log odds."
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
    "ECE": (
        "Expected calibration error: how far what was said lies from what was so, on average over "
        "groups of cases with a similar probability; 0 is honest."
    ),
    "Slope": (
        "Calibration slope: 1 is honest; below 1 the probabilities are too extreme, above 1 too "
        "timid."
    ),
    "Intercept": "Calibration intercept: 0 is honest; above 0 the probabilities are too low.",
    "Youden's J": "Sensitivity + specificity − 1: 0 is a coin toss, 1 is perfect.",
    "Net benefit": (
        "Right calls less wrong ones, per case. How much a wrong call weighs follows from the "
        "probability from which one acts: who acts from 20 % on accepts four false alarms for one "
        "case that is found, so that a false alarm weighs a quarter."
    ),
    "Decision curve": (
        "Whether acting on the model does more good than calling everybody or nobody, for each "
        "probability from which a physician would act (Vickers & Elkin 2006); higher is better."
    ),
    "Faithfulness": (
        "Whether the answer rests on what the heatmap shows: it should fall when the most "
        "attended regions are deleted, and stay when as many others are."
    ),
    "Fold models": (
        "Each fold taught its own model. A case is judged by the one that never saw its patient; "
        "the others, which mostly have, show how far answers differ from model to model."
    ),
    "Rank correlation": (
        "How alike two models rank the places of a case (Spearman): 1 is the same order, 0 has "
        "nothing in common, −1 is the reverse."
    ),
    "Heatmap": (
        "What each place said, by its weight: red speaks for the positive class, blue against it, "
        "pale says nothing; the colours mean the same in every case. Where a model says nothing of "
        "single places: how many times the average attention each received, dark to yellow."
    ),
    "Grad-CAM": (
        "Where the image speaks for the class: the maps of the last convolution, each weighed by "
        "how much the class gains from it (Selvaraju et al. 2017)."
    ),
    "Attention map": (
        "How much attention each position of the image received: the warmer, the more it weighed "
        "in the answer, for whichever class."
    ),
    "Marked slices": (
        "Slices in which a person marked the finding; rank 1 has most to do with the answer."
    ),
    "Slice alone": (
        "The probability that the model gives to this slice as if it were all of the case; where "
        "the highest slice decides, its probability is that of the patient."
    ),
    "Agreement between folds": (
        "How alike the models of the folds rank the places of one case, mean over cases: 1 is the "
        "same order, 0 has nothing in common. Low agreement says that several explanations fit "
        "the same answers, and that no single heatmap is the reason."
    ),
    "Nearest cases": (
        "The cases among those that the model learnt from which lie nearest to this one by what it "
        "learnt to compare, none of them of the same patient. They vote on the answer, each by the "
        "inverse of its distance, from 0 for twins to 2 for opposites."
    ),
    "Triplets": (
        "A case, another of its class and one of another class; it teaches while the other class "
        "is not farther off than the own by the margin."
    ),
    "Distance": (
        "How far the case lies from those that its model learnt from (Mahalanobis, on the mean of "
        "its features), against inner cases, which taught nothing: beyond all but one in a hundred "
        "of them a case is called unlike."
    ),
    "Conformal sets": (
        "Instead of one class a case is given every class whose probability is not among the "
        "lowest tenth of what inner patients of that class were given: of new patients like them "
        "nine in ten have their class in the set (Vovk 2012)."
    ),
    "Plain models": (
        "Logistic regression, nearest neighbours and nearest centroid on the mean of each case's "
        "features: what can be had without any weighing of regions. Or networks that learn from "
        "the same pixels, with fewer magnifications or none weighed against another. Where cases "
        "are compared, direct classification is the same model taught by cross-entropy."
    ),
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

COMPARED: dict[str, str] = {
    "Agreement": "The share of cases that all runs decide alike, rightly or wrongly.",
    "Disagreement": "The share of cases that not all runs decide alike.",
    "Oracle accuracy": (
        "The share of cases that at least one run decides rightly: no way of combining the "
        "decisions can be right more often."
    ),
    "Error overlap": (
        "Which cases both runs, one or none decides wrongly. Where most errors are shared, a vote "
        "cannot mend them. A patient with several cases may count in several cells."
    ),
    "McNemar's test": (
        "Looks only at whom the runs differ on. A patient counts once, for the run that is right "
        "in more of the patient's cases; the interval is Tango's (1998), as if a patient's cases "
        "all agreed."
    ),
    "DeLong's test": (
        "Compares areas under ROC curves of the same cases (DeLong 1988; a patient's cases stand "
        "together, Obuchowski 1997). Where folds have models of their own only pairs within a fold "
        "are compared, each fold by its number of pairs: probabilities of two models are not of "
        "one scale. So this area may differ a little from the pooled one above."
    ),
    "p": (
        "How likely chance alone makes a difference as large, if both were equally good; it does "
        "not say how large the difference is. That is what the interval is for."
    ),
}
"""The words of a comparison of runs."""


def metric_name(name: str) -> str:
    """The metric's name for people.

    >>> metric_name("f1"), metric_name("kappa_score")
    ('F1 score', 'Kappa score')
    """
    return METRIC_NAMES.get(name, name.replace("_", " ").capitalize())

"""What every run is asked about itself: coded, listed when passed too, muted only with a reason."""

from collections.abc import Callable, Mapping
from typing import Any

from wholecase.core.errors import RecipeError
from wholecase.core.lookup import nearest
from wholecase.experiment.checks import of_choices, of_cohort, of_results
from wholecase.experiment.checks.of_learning import without
from wholecase.experiment.checks.question import PAGE, Check, Examined, Outcome, Told

CHECKS: dict[str, Check] = {
    check.code: check
    for check in (
        Check("WC001", "No picture on two sides", "error", of_cohort.two_sides),
        Check("WC002", "Better than plain models", "warning", of_results.beaten),
        Check("WC003", "Folds agree", "warning", of_results.far_fold),
        Check("WC004", "Choices within their range", "warning", of_choices.at_an_edge),
        Check("WC005", "Only images tell the label", "warning", of_cohort.telling_columns),
        Check("WC006", "Enough positives for a threshold", "warning", of_choices.few_positives),
        Check("WC007", "Enough patients", "remark", of_results.few_patients),
        Check("WC008", "Not too good to be true", "warning", of_results.too_good),
        Check("WC009", "Folds speak on one scale", "remark", of_results.one_scale),
        Check("WC010", "Honest probabilities", "warning", of_results.honest),
        Check("WC011", "Better than chance", "warning", of_results.by_chance),
        Check("WC012", "Patients are known", "warning", of_cohort.known_patients),
        Check("WC013", "Cases like those learnt from", "warning", of_cohort.unlike),
        Check(
            "WC014",
            "No collapse while learning",
            "warning",
            without("collapse", "Positives kept their probability while learning."),
        ),
        Check(
            "WC015",
            "Positives are found",
            "warning",
            without("missed", "Positives are called positive, of inner and of test patients."),
        ),
        Check(
            "WC016",
            "Steady learning",
            "warning",
            without("swings", "The inner loss went steadily."),
        ),
        Check(
            "WC017",
            "Nothing learnt by heart",
            "warning",
            without("gap", "Training and inner loss of the kept epochs are alike."),
        ),
        Check(
            "WC018",
            "No perfect score on few patients",
            "warning",
            without("perfect", "No inner score is perfect on few patients."),
        ),
        Check(
            "WC019",
            "Embeddings stay apart",
            "warning",
            without("together", "Training cases stayed apart, where cases are compared."),
        ),
    )
}
"""A further check is a function from `Examined` to an `Outcome`, and a line here."""


OF_RESULTS: dict[str, Callable[[Told], Outcome]] = {
    "WC003": of_results.far_fold,
    "WC007": of_results.few_patients,
    "WC008": of_results.too_good,
    "WC009": of_results.one_scale,
    "WC010": of_results.honest,
    "WC011": of_results.by_chance,
}
"""Those that look at nothing but what was said, and can be asked of a vote too."""


def examined_results(told: Told, muted: Mapping[str, str]) -> list[dict[str, Any]]:
    """As `examined`, of answers alone."""
    return [_told(CHECKS[code], look(told), muted) for code, look in OF_RESULTS.items()]


def examined(run: Examined) -> list[dict[str, Any]]:
    """Every check with what it found, as `metrics.json` holds it.

    What the recipe mutes stands there with the reason that it gives, whatever was found.
    """
    muted = run.bench.recipe.evaluate.muted
    return [_told(check, check.look(run), muted) for check in CHECKS.values()]


def refuse_unknown_codes(muted: Mapping[str, str]) -> None:
    """Pass where every muted check is one.

    Raises:
        RecipeError: no check has such a code.
    """
    for code in muted:
        if code not in CHECKS:
            raise RecipeError(
                f"evaluate.muted: no check is called {code!r}{nearest(code, CHECKS)}; "
                f"`{PAGE}` lists them"
            )


def _told(check: Check, found: Outcome, muted: Mapping[str, str]) -> dict[str, Any]:
    state = found.state
    if check.code in muted and state == "failed":
        state = "muted"
    return {
        "code": check.code,
        "title": check.title,
        "severity": check.severity,
        "state": state,
        "sentence": found.sentence,
        "reason": muted.get(check.code, "") if state == "muted" else "",
        "page": check.page,
    }


__all__ = [
    "CHECKS",
    "Check",
    "Examined",
    "Outcome",
    "Told",
    "examined",
    "examined_results",
    "refuse_unknown_codes",
]

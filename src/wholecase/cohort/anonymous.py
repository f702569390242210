"""What must be said where nobody knows whose the images are."""

from wholecase.cohort.cases import Cohort


def anonymity_note(cohort: Cohort) -> str:
    """A sentence for reports about a cohort with unknown patients; empty where all are known."""
    if not cohort.anonymous:
        return ""
    some = "all" if cohort.anonymous == len(cohort.cases) else f"{cohort.anonymous} of"
    return (
        f"The patients of {some} {len(cohort.cases)} cases are unknown: each case counts as a "
        "patient of its own, so images of one slide or patient can fall on both sides of a split, "
        "and every figure may be better than it would be on new patients."
    )

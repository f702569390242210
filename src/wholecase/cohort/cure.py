"""The overrides that would read a manifest's labels, where a recipe knows none of them."""

import re
from collections.abc import Sequence

from wholecase.cohort.identity import likeness_key

POSITIVE = frozenset(
    (
        "abnormal",
        "cancer",
        "case",
        "disease",
        "diseased",
        "malignant",
        "mut",
        "mutant",
        "mutated",
        "pos",
        "positive",
        "present",
        "true",
        "tumor",
        "tumour",
        "yes",
        "1",
    )
)
NEGATIVE = frozenset(
    (
        "absent",
        "benign",
        "control",
        "false",
        "healthy",
        "neg",
        "negative",
        "no",
        "none",
        "normal",
        "wild",
        "wildtype",
        "wt",
        "0",
    )
)
MOST_CLASSES = 10
"""With more values the column is hardly one of labels."""
PLAIN = re.compile(r"[A-Za-z0-9_][\w./+ -]*")


def override_for(strangers: Sequence[str], *, all_unknown: bool) -> str:
    """The end of a sentence about unknown labels: what to add to the command; empty where unclear.

    Args:
        strangers: the distinct values that the recipe does not know.
        all_unknown: whether it knows no other value of the column.

    >>> override_for(["EGFR_positive", "EGFR_negative"], all_unknown=True)
    '; to read them, add "cohort.positive=[EGFR_positive]" "cohort.negative=[EGFR_negative]"'
    """
    if len(strangers) > MOST_CLASSES:
        return ""
    if not all_unknown:
        return f'; to leave them out, add "cohort.ignore={_listed(strangers)}"'
    if len(strangers) == 2:
        positive, sure = _positive(strangers)
        negative = next(value for value in strangers if value != positive)
        doubt = "" if sure else ", or the other way round"
        return (
            f'; to read them, add "cohort.positive={_listed([positive])}" '
            f'"cohort.negative={_listed([negative])}"{doubt}'
        )
    if len(strangers) < 2:
        return ""
    classes = ", ".join(f"{_word(value)}: {_listed([value])}" for value in strangers)
    return (
        '; to read each as a class, add "cohort.positive=[]" "cohort.negative=[]" '
        f'"cohort.classes={{{classes}}}"'
    )


def _positive(pair: Sequence[str]) -> tuple[str, bool]:
    """Which of two is the positive one, and whether its name or the other's says so."""
    scores = [_score(value) for value in pair]
    if scores[0] == scores[1]:
        return max(pair), False
    return pair[0] if scores[0] > scores[1] else pair[1], True


def _score(value: str) -> int:
    words = set(re.split(r"[\W_]+", likeness_key(value)))
    return bool(words & POSITIVE) - bool(words & NEGATIVE)


def _listed(values: Sequence[str]) -> str:
    return f"[{', '.join(map(_word, values))}]"


def _word(value: str) -> str:
    return value if PLAIN.fullmatch(value) else "'" + value.replace("'", "''") + "'"

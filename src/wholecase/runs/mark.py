"""What every figure of a run carries whose sides are not apart."""

from collections.abc import Mapping, Sequence
from typing import Any

from wholecase.core.files import read_json
from wholecase.runs.layout import RunFolder

SIDES = "WC001"
"""The check that no patient or picture is on two sides of a fold."""
BY_IMAGE = "image"
"""The name of a division of images, whoever's they are, among protocols."""


def forced(checks: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """What `metrics.json` says of sides that are not apart; None where they are, or unasked."""
    found = next((one for one in checks if one["code"] == SIDES), None)
    return found if found is not None and found["state"] in {"failed", "muted"} else None


def mark_of(facts: Mapping[str, Any], *, is_forced: bool) -> str:
    """The words of the mark; empty where there is none."""
    if not is_forced:
        return ""
    divided = (facts.get("splits") or {}).get("protocol") == BY_IMAGE
    what = "Images divided, not patients" if divided else "Copies on two sides"
    return f"{what}: not a measure of new patients"


def mark_in(folder: RunFolder) -> str:
    """The mark of a finished run."""
    if not (folder.metrics.is_file() and folder.facts.is_file()):
        return ""
    checks = read_json(folder.metrics).get("checks") or ()
    return mark_of(read_json(folder.facts), is_forced=forced(checks) is not None)

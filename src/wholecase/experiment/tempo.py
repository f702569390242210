"""How long an epoch took, from what the folds noted when they learnt."""

from collections.abc import Mapping, Sequence
from typing import Any

from wholecase.core.files import read_json
from wholecase.recipes import Recipe
from wholecase.runs import RunFolder
from wholecase.training import Tempo, in_all


def tempo_of(runs: Sequence[RunFolder]) -> dict[str, Any]:
    """`epochs` for `times.json`: their number, seconds each and instances a second, over all folds.

    Of folds that were learnt before, what they took then. Empty where no fold noted it.
    """
    files = [run.fold(number).times for run in runs for number in run.fold_numbers]
    total = in_all(Tempo(**read_json(file)) for file in files if file.is_file())
    if not total.epochs:
        return {}
    return {
        "epochs": {
            "number": total.epochs,
            "seconds_each": round(total.seconds / total.epochs, 3),
            "instances_each": round(total.instances / total.epochs, 1),
            "instances_per_second": round(total.instances / max(total.learning, 1e-9), 1),
        }
    }


def tempo_told(tempo: Mapping[str, Any], recipe: Recipe) -> str:
    """The same for people; an instance is an image where images are not cut."""
    if not (told := tempo.get("epochs")):
        return ""
    noun = "images" if recipe.cut.name == "whole" else "instances"
    return (
        f"{told['number']} of {told['seconds_each']:.3g} s each, learning from "
        f"{told['instances_each']:.0f} {noun}, {told['instances_per_second']:.0f} {noun}/s"
    )

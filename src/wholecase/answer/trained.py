"""A finished run as something that answers: its fold models speak together."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from wholecase.answer.judging import judge_cases
from wholecase.assemble import model_of
from wholecase.cohort import Case
from wholecase.core.errors import RunError
from wholecase.core.files import read_json
from wholecase.explain import Evidence
from wholecase.extract import Extraction
from wholecase.models import CaseModel, load_model
from wholecase.recipes import Recipe, read_recipe
from wholecase.runs import FoldFolder, RunFolder
from wholecase.training import Choices


@dataclass(frozen=True)
class Member:
    """The model of one fold and what it chose on its inner patients."""

    model: CaseModel
    choices: Choices


@dataclass(frozen=True)
class CaseAnswer:
    """One honest, explained answer."""

    case: Case
    probabilities: Float[np.ndarray, " C"]
    """Mean of the fold models' calibrated probabilities."""
    decision: int
    """Index of the class: by the median of the fold models' thresholds, or the most probable."""
    spread: float
    """Standard deviation of the fold models' probabilities of the class that is decided on."""
    evidence: Evidence
    """Mean of the fold models' weights."""


@dataclass(frozen=True)
class TrainedRun:
    """The models of a run, its recipe and classes."""

    folder: RunFolder
    recipe: Recipe
    classes: tuple[str, ...]
    encoder: dict[str, Any]
    members: tuple[Member, ...]

    def answer(self, cases: Sequence[Case], extraction: Extraction) -> Iterator[CaseAnswer]:
        """Answer for each case, in order; all fold models judge, and their mean is given."""
        judges = [judge_cases(member.model, cases, extraction) for member in self.members]
        for told in zip(*judges, strict=True):
            rows = np.stack(
                [
                    m.choices.calibrated(j.probabilities[None])[0]
                    for m, j in zip(self.members, told, strict=True)
                ]
            )
            mean = rows.mean(0)
            decision = int(Choices(1.0, self.threshold).decide(mean[None])[0])
            yield CaseAnswer(
                case=told[0].case,
                probabilities=mean,
                decision=decision,
                spread=float(rows[:, decision].std()),
                evidence=_mean_evidence([j.evidence for j in told]),
            )

    @property
    def threshold(self) -> float | None:
        """The median of the fold models' thresholds; None where the most probable class is told."""
        chosen = [m.choices.threshold for m in self.members if m.choices.threshold is not None]
        return float(np.median(chosen)) if chosen else None


def load_run(root: Path, device: str) -> TrainedRun:
    """The models of a finished run, ready on the device.

    Raises:
        RunError: the run is unfinished, of another version or damaged.
    """
    folder = RunFolder(root)
    facts = folder.read_facts()
    recipe = read_recipe(str(folder.recipe))
    classes, encoder = tuple(facts["classes"]), facts["encoder"]
    numbers = folder.fold_numbers
    if not numbers:
        raise RunError(f"{root} holds no trained fold; run again")
    members = []
    for number in numbers:
        model = model_of(recipe, int(encoder["width"]), len(classes), recipe.protocol.seed)
        load_model(folder.fold(number).model, model)
        members.append(Member(model.to(device).eval(), read_choices(folder.fold(number))))
    return TrainedRun(folder, recipe, classes, encoder, tuple(members))


def read_choices(folder: FoldFolder) -> Choices:
    """What a fold chose."""
    chosen = read_json(folder.choices)
    return Choices(chosen["temperature"], chosen["threshold"])


def _mean_evidence(parts: Sequence[Evidence]) -> Evidence:
    first = parts[0]
    return Evidence(
        weights=np.mean([part.weights for part in parts], 0),
        scores=np.mean([part.scores for part in parts], 0),
        image=first.image,
        box_px=first.box_px,
        position_um=first.position_um,
        logits=np.mean([part.logits for part in parts], 0),
        maps={n: np.mean([part.maps[n] for part in parts], 0) for n in first.maps},
    )

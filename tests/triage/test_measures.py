"""What labels tell of a triaged cohort, and what is said where they tell nothing."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from wholecase.answer.trained import TrainedRun
from wholecase.cohort import Case, Image
from wholecase.recipes import read_recipe
from wholecase.runs import RunFolder, write_rows
from wholecase.triage.judging import Triaged, TriageSettings
from wholecase.triage.measures import triage_metrics
from wholecase.triage.ranking import ranked
from wholecase.triage.raster import Raster
from wholecase.triage.slide_map import SlideMap
from wholecase.triage.window import TrainedAt

SETTINGS = TriageSettings(Path("out"), TrainedAt(96, 0.97), 32)
SPLITS = ("case_id", "patient_id", "fold", "side")


@pytest.fixture
def trained(tmp_path: Path) -> TrainedRun:
    run = RunFolder(tmp_path)
    known = {"case_id": "k", "patient_id": "known", "fold": 0, "side": "train"}
    write_rows(run.splits, SPLITS, [known])
    recipe = read_recipe("pcam-attention", ("evaluate.bootstrap=200",))
    return TrainedRun(run, recipe, ("normal", "tumor"), {}, ())


def slide(
    name: str, risk: float | None, target: int | None = None, patient: str | None = None
) -> Triaged:
    """A slide of 8 x 8 cells that are all equally suspicious; None: it could not be judged."""
    grid = np.full((8, 8), risk or 0.0, np.float32)
    drawn = SlideMap(Raster((256, 256), 0.97, 1.0, 96, 32), grid, 0.5)
    image = Image(Path(f"{name}.svs"), "slide", 1)
    label = None if target is None else ("normal", "tumor")[target]
    case = Case(name, patient or name, (image,), label, target)
    if risk is None:
        return Triaged(case, image, name, None, "unreadable")
    return Triaged(case, image, name, drawn)


def cohort(*groups: Sequence[Triaged]) -> list[Triaged]:
    return [one for group in groups for one in group]


def positives(count: int) -> list[Triaged]:
    return [slide(f"p{i}", 0.9 - 0.001 * i, 1) for i in range(count)]


def negatives(count: int) -> list[Triaged]:
    return [slide(f"n{i}", 0.1 + 0.001 * i, 0) for i in range(count)]


def notes(trained: TrainedRun, told: list[Triaged]) -> str:
    return "\n".join(triage_metrics(trained, told, SETTINGS)["notes"])


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ([slide("a", 0.9), slide("b", 0.1)], "No new case has a label that the run knows"),
        ([slide("a", 0.9, 1, "known"), slide("b", 0.1)], "No new case has a label"),
        (positives(3), "All 3 labelled new cases are 'tumor'"),
        (negatives(4), "All 4 labelled new cases are 'normal'"),
    ],
)
def test_without_two_classes_nothing_is_measured_and_that_is_said(
    trained: TrainedRun, told: list[Triaged], said: str
) -> None:
    metrics = triage_metrics(trained, told, SETTINGS, "mind the gap")
    assert metrics["notes"][0] == "mind the gap"
    assert said in metrics["notes"][-1]
    assert "what could be set aside" in metrics["notes"][-1]
    assert not {"auroc", "set_aside"} & metrics.keys()
    assert metrics["slides"] == len(told)


def test_labels_tell_ranking_and_what_could_be_set_aside(trained: TrainedRun) -> None:
    told = cohort(positives(4), negatives(12), [slide("gone", None, 1)])
    metrics = triage_metrics(trained, told, SETTINGS)
    assert (metrics["cases"], metrics["positive_cases"], metrics["not_judged"]) == (16, 4, 1)
    assert metrics["auroc"]["value"] == 1.0
    assert [one["share"]["value"] for one in metrics["set_aside"]] == [0.75] * 3
    assert "1 labelled cases have a slide that could not be judged" in metrics["notes"][0]


@pytest.mark.parametrize(
    ("count", "alike"), [(4, "95 and 98 %"), (19, "95 and 98 %"), (20, "98 %"), (49, "98 %")]
)
def test_too_few_positives_for_a_miss_are_named(
    trained: TrainedRun, count: int, alike: str
) -> None:
    told = cohort(positives(count), negatives(5))
    cutoffs = [one["cutoff"] for one in triage_metrics(trained, told, SETTINGS)["set_aside"]]
    assert f": {alike} sensitivity allow no miss" in notes(trained, told)
    assert cutoffs[1] == cutoffs[2]
    assert (cutoffs[0] == cutoffs[2]) == alike.startswith("95")


def test_fifty_positives_allow_a_miss_at_each(trained: TrainedRun) -> None:
    told = cohort(positives(50), negatives(5))
    cutoffs = [one["cutoff"] for one in triage_metrics(trained, told, SETTINGS)["set_aside"]]
    assert cutoffs == sorted(set(cutoffs), reverse=True)
    assert "allow no miss" not in notes(trained, told)


def test_a_case_is_as_suspicious_as_its_worst_slide(trained: TrainedRun) -> None:
    worst = slide("p0", 0.95, 1)
    told = cohort([slide("p0", 0.05, 1), worst], negatives(3))
    metrics = triage_metrics(trained, told, SETTINGS)
    assert metrics["cases"] == 4
    assert metrics["auroc"]["value"] == 1.0


def test_slides_without_a_map_come_last_and_have_no_rank() -> None:
    told = [slide("gone", None), slide("low", 0.1), slide("high", 0.8)]
    assert [(rank, one.name) for rank, one in ranked(told)] == [
        (1, "high"),
        (2, "low"),
        (None, "gone"),
    ]

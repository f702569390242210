"""What lies where in a run folder. Report, predict, explain and compare read nothing else."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wholecase.core.errors import RunError
from wholecase.core.files import read_json, safe_name, write_text
from wholecase.core.regular import refuse_irregular

SCHEMA = 1
FINAL = -1
"""In place of a fold: the model of all cases, which no fold judges."""


@dataclass(frozen=True)
class RunFolder:
    """The paths of one run; nothing is read until asked for."""

    root: Path

    @property
    def recipe(self) -> Path:
        """The recipe in full, overrides included: a run can be repeated from it."""
        return self.root / "recipe.yaml"

    @property
    def facts(self) -> Path:
        """`run.json`: cohort, splits, encoder, versions, seed; written last, marks completion."""
        return self.root / "run.json"

    @property
    def inputs(self) -> Path:
        """`inputs.json`: digests of recipe, cohort and splits; whose folder this is."""
        return self.root / "inputs.json"

    @property
    def times(self) -> Path:
        """`times.json`: dates and durations, apart since they differ between equal runs."""
        return self.root / "times.json"

    @property
    def seal(self) -> Path:
        """`seal.json`: a key of all that the run rests on, and digests of its files."""
        return self.root / "seal.json"

    @property
    def cases(self) -> Path:
        """`cases.csv`: the cases that were used."""
        return self.root / "cases.csv"

    @property
    def magnifications(self) -> Path:
        """`magnifications.csv`: how many images of each magnification, by label and fold."""
        return self.root / "magnifications.csv"

    @property
    def exclusions(self) -> Path:
        """`exclusions.csv`: every image and case that was left out, at which stage and why."""
        return self.root / "exclusions.csv"

    @property
    def splits(self) -> Path:
        """`splits.csv`: who was on which side of which fold."""
        return self.root / "splits.csv"

    @property
    def contents(self) -> Path:
        """`contents.csv`: digests of the contents that each case was learnt or judged from."""
        return self.root / "contents.csv"

    @property
    def copies(self) -> Path:
        """`copies.json`: images of several patients that show the same, on two sides of a fold."""
        return self.root / "copies.json"

    @property
    def neighbours(self) -> Path:
        """`neighbours.csv`: the known cases that voted on each case, where neighbours decide."""
        return self.root / "neighbours.csv"

    @property
    def embedding(self) -> Path:
        """`embedding.json`: where the cases of one fold lie among each other, on a plane."""
        return self.root / "embedding.json"

    @property
    def novelty(self) -> Path:
        """`novelty.csv`: how far each judged case lies from what its model learnt from."""
        return self.root / "novelty.csv"

    @property
    def predictions(self) -> Path:
        """`predictions.csv`: one row per case of an outer test side."""
        return self.root / "predictions.csv"

    @property
    def metrics(self) -> Path:
        """`metrics.json`."""
        return self.root / "metrics.json"

    @property
    def results(self) -> Path:
        """`results.md`: the figures as tables for a text."""
        return self.root / "results.md"

    @property
    def stability(self) -> Path:
        """`stability.csv`: what each fold model says of each judged case, and where it looks."""
        return self.root / "stability.csv"

    @property
    def localisation(self) -> Path:
        """`localisation.csv`: how well evidence finds what masks mark, by case."""
        return self.root / "localisation.csv"

    @property
    def report(self) -> Path:
        """`report.html`."""
        return self.root / "report.html"

    @property
    def pictures(self) -> Path:
        """`pictures.json`: case id -> thumbnail, heatmap and tile pictures under `pictures/`."""
        return self.root / "pictures.json"

    @property
    def tissue(self) -> Path:
        """`tissue.json`: what was taken as tissue on each slide, with a picture of it."""
        return self.root / "tissue.json"

    @property
    def kept(self) -> Path:
        """What sleeping parts of networks made of the cases; gone once all folds have learnt."""
        return self.root / "kept"

    @property
    def fold_numbers(self) -> list[int]:
        """Of the outer folds that have a folder, rising."""
        home = self.root / "folds"
        folders = home.iterdir() if home.is_dir() else ()
        return sorted(int(path.name) for path in folders if path.name.isdigit())

    def fold(self, number: int) -> "FoldFolder":
        """The folder of one outer fold, or of the `FINAL` model."""
        if number == FINAL:
            return FoldFolder(self.root / "final")
        return FoldFolder(self.root / "folds" / str(number))

    def repeat(self, number: int) -> "RunFolder":
        """What a repeat with another seed keeps: splits, folds and predictions; 0 is the run."""
        return RunFolder(self.root / "repeats" / str(number)) if number else self

    @property
    def gallery(self) -> Path:
        """`gallery.json`: cases that were added to the models' memory after the run."""
        return self.root / "gallery.json"

    @property
    def trials(self) -> Path:
        """`trials.json`: what other features of the same network do to the run's answers."""
        return self.root / "trials.json"

    def addition(self, number: int) -> Path:
        """What the models remember of an addition, counted from 1."""
        return self.root / "gallery" / f"{number}.safetensors"

    @property
    def direct(self) -> "RunFolder":
        """What the plain model that classifies directly keeps: folds and predictions."""
        return RunFolder(self.root / "direct")

    def baseline(self, name: str) -> "RunFolder":
        """What a model that learns as a baseline on the same folds keeps: folds and predictions."""
        return RunFolder(self.root / "baselines" / name)

    def evidence(self, case: str) -> Path:
        """A case's instances with their weights, as safetensors."""
        return self.root / "evidence" / f"{safe_name(case)}.safetensors"

    def picture(self, case: str, what: str) -> Path:
        """A picture of a case, such as `thumbnail.jpg`."""
        return self.root / "pictures" / f"{safe_name(case)}-{what}"

    def figure(self, name: str) -> Path:
        """A figure of the whole run as a file of its own, such as `confusion_matrix.svg`."""
        return self.root / "figures" / name

    def read_facts(self) -> dict[str, Any]:
        """The facts of a finished run.

        Raises:
            RunError: the folder is not a finished run of a known schema.
        """
        if not self.facts.is_file():
            raise RunError(f"{self.root} is no finished run: it has no run.json; start it again")
        facts: dict[str, Any] = read_json(self.facts)
        if facts.get("schema") != SCHEMA:
            raise RunError(
                f"{self.facts} has schema {facts.get('schema')}, this version reads {SCHEMA}; "
                "use the version that wrote it or run again"
            )
        return facts


@dataclass(frozen=True)
class FoldFolder:
    """The paths of one outer fold."""

    root: Path

    @property
    def model(self) -> Path:
        """The model at its best epoch; with a refit at its last."""
        return self.root / "model.safetensors"

    def first(self, part: int = 0) -> Path:
        """With a refit: the model that chose, having learnt without the patients of its part."""
        return self.root / (f"first-{part}.safetensors" if part else "first.safetensors")

    @property
    def last(self) -> Path:
        """All that training needs to go on; gone once the fold is done."""
        return self.root / "last.safetensors"

    @property
    def familiar(self) -> Path:
        """`familiar.safetensors`: what the training cases look like, no case by itself."""
        return self.root / "familiar.safetensors"

    @property
    def history(self) -> Path:
        """`history.csv`: a row per epoch."""
        return self.root / "history.csv"

    @property
    def times(self) -> Path:
        """`times.json`: how long its epochs took, apart since that differs between equal runs."""
        return self.root / "times.json"

    @property
    def inner(self) -> Path:
        """`inner.csv`: calibrated predictions of the inner patients that set the choices."""
        return self.root / "inner.csv"

    @property
    def choices(self) -> Path:
        """`choices.json`: epoch, threshold, temperature, and the inner patients that set them."""
        return self.root / "choices.json"


def write_rows(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> None:
    """Write a CSV file, whole or not at all; None becomes an empty cell."""
    import io

    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, fieldnames=list(columns), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(path, text.getvalue())


def read_rows(path: Path) -> list[dict[str, str]]:
    """Read a CSV file; every cell is text, as it stands.

    Raises:
        RunError: it is a device, a pipe or a folder.
    """
    refuse_irregular(path, RunError)
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))

"""The toolkit from Python, for notebooks and scripts: what the commands do, with values back."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from html import escape
from inspect import isroutine
from pathlib import Path
from typing import Any, Literal, final

from wholecase.answer import Judgement
from wholecase.assemble import labels_of, place_of
from wholecase.cohort import Cohort
from wholecase.cohort import read_cohort as read_manifest
from wholecase.core.errors import RunError
from wholecase.core.files import read_json
from wholecase.core.outside import reference
from wholecase.evaluation import Interval, Rule
from wholecase.experiment import Settings, Terms, ask, ballot, external_metrics, question_of
from wholecase.experiment import run as experiment
from wholecase.experiment import vote as cast_votes
from wholecase.explain import Evidence, read_evidence
from wholecase.recipes import read_recipe
from wholecase.report import compare_runs, write_report
from wholecase.runs import RunFolder, read_rows

__all__ = ["Judgement", "Run", "open_run", "read_cohort", "run", "vote"]

File = str | Path
Overrides = Mapping[str, object] | Sequence[str]
"""`{"train.epochs": 3, "encoder": "colour"}`, or as on the command line `["train.epochs=3"]`.

A part of one's own may be the thing itself: `{"model.aggregator": MyPool}`.
"""


def read_cohort(path: File, recipe: File | None = None, overrides: Overrides = ()) -> Cohort:
    """The cases of a manifest, in its order; the image files are not looked at.

    Args:
        path: the CSV file, one row per image.
        recipe: name or file; its labels give each case a target. None leaves labels as text.
        overrides: of the recipe.

    Raises:
        ManifestError: the file is wrong; the message names line, column and cure.
    """
    labels = None if recipe is None else labels_of(read_recipe(str(recipe), _lines(overrides)))
    return read_manifest(Path(path), labels)


def run(
    recipe: File,
    cohort: File | Cohort,
    out: File,
    overrides: Overrides = (),
    **settings: Any,  # noqa: ANN401 (the fields of `Settings`)
) -> "Run":
    """Train, evaluate and explain; the same call goes on with a run that was stopped.

    Args:
        recipe: built-in name or YAML file.
        cohort: the manifest, or what `read_cohort` made of it.
        out: folder of the run.
        overrides: of the recipe.
        settings: `splits`, `store`, `device` ("auto"), `workers` (1), `tolerated` (0.1); see
            `wholecase.experiment.Settings`.

    Raises:
        WholecaseError: recipe, cohort or folder are wrong, in one sentence.
    """
    manifest = cohort.path if isinstance(cohort, Cohort) else Path(cohort)
    for place in ("splits", "store"):
        if settings.get(place) is not None:
            settings[place] = Path(settings[place])
    work_place = place_of(settings.pop("device", "auto"), settings.pop("workers", 1))
    chosen = read_recipe(str(recipe), _lines(overrides))
    experiment(chosen, manifest, Settings(out=Path(out), place=work_place, **settings))
    return Run(Path(out))


def vote(
    runs: "Sequence[File | Run]",
    out: File,
    *,
    weights: Literal["equal", "validation"] = "equal",
    admit: Literal["rule", "all"] = "rule",
    **bars: float,
) -> "Run":
    """Several runs on the same folds together, as a run of its own.

    Args:
        runs: at least two, or their folders.
        out: folder of the vote.
        weights: all alike, or by what each got right on inner patients.
        admit: by the rule, or all of them.
        bars: of the rule, `accuracy` (0.90) and `disagreement` (0.05).

    Raises:
        WholecaseError: the runs are not of the same cases and folds, or the rule admits no two.
    """
    roots = [run.folder.root if isinstance(run, Run) else Path(run) for run in runs]
    return Run(cast_votes(ballot(roots, Terms(weights, admit, Rule(**bars))), Path(out)).root)


def open_run(folder: File) -> "Run":
    """A finished run.

    Raises:
        RunError: the folder holds none.
    """
    return Run(Path(folder))


@final
class Run:
    """A finished run: its metrics, predictions and evidence, and its models for new cases."""

    def __init__(self, folder: Path) -> None:
        """Read what the folder tells of itself.

        Raises:
            RunError: it holds no finished run.
        """
        self.folder = RunFolder(folder)
        self.facts: dict[str, Any] = self.folder.read_facts()
        """The content of `run.json`."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes; with two, the second is the positive one."""
        return tuple(self.facts["classes"])

    @cached_property
    def metrics(self) -> dict[str, Interval]:
        """Name to value, 95 % interval by patient and number of patients, over all outer folds.

        Empty for a run that judged nobody, as one made from a colleague's checkpoint.
        """
        if not self.folder.metrics.is_file():
            return {}
        pooled: dict[str, Any] = read_json(self.folder.metrics)["pooled"]
        return {name: Interval.from_json(entry) for name, entry in pooled.items()}

    @cached_property
    def notes(self) -> tuple[str, ...]:
        """What a reader of the metrics must know."""
        if not self.folder.metrics.is_file():
            return ()
        return tuple(read_json(self.folder.metrics)["notes"])

    @cached_property
    def predictions(self) -> list[dict[str, Any]]:
        """A row per judged case, probabilities as numbers: `pandas.DataFrame(run.predictions)`."""
        if not self.folder.predictions.is_file():
            return []
        return [
            {k: float(v) if k.startswith("probability_") else v for k, v in row.items()}
            for row in read_rows(self.folder.predictions)
        ]

    def evidence(self, case: str) -> Evidence:
        """The instances of a judged case as the model that never saw its patient weighed them."""
        return read_evidence(self.folder.evidence(case))

    def predict(self, *images: File, cohort: File | None = None, **places: Any) -> list[Judgement]:  # noqa: ANN401
        """Ask the fold models about new cases.

        Args:
            images: files, each a case of its own; or
            cohort: a manifest.
            places: `weights` of the encoder where they moved (of encoders side by side a list),
                `store`, `device`, `workers`.

        Raises:
            WholecaseError: the images were not read, or the run was trained on other features.
        """
        manifest = None if cohort is None else Path(cohort)
        question = question_of(self.folder.root, [Path(image) for image in images], manifest)
        asked = ask(question, **_settings(places))
        judgements = list(asked.judgements)
        if not judgements:
            reasons = "; ".join(failure.reason for failure in asked.failures)
            raise RunError(f"no case could be read: {reasons}")
        return judgements

    def validate(self, cohort: File, **places: Any) -> dict[str, Interval]:  # noqa: ANN401
        """Metrics on a labelled cohort; patients that the run knows are left out.

        Args:
            cohort: a manifest with labels.
            places: as for `predict`.
        """
        question = question_of(self.folder.root, cohort=Path(cohort))
        asked = ask(question, **_settings(places))
        metrics, _ = external_metrics(asked.trained, list(asked.judgements))
        return {name: Interval.from_json(one) for name, one in metrics.items()}

    def compare(self, other: "Run") -> dict[str, Interval]:
        """Each metric of this run minus that of another on the same folds, paired by patient."""
        return compare_runs(self.folder.root, other.folder.root)

    def report(self) -> Path:
        """The page of the run, written anew."""
        return write_report(self.folder.root)

    def __repr__(self) -> str:
        listed = ", ".join(
            f"{name} {_shown(value)}" for name, value in list(self.metrics.items())[:3]
        )
        return f"<run {self.folder.root}: {listed or 'nobody judged'}>"

    def _repr_html_(self) -> str:
        """A small table for notebooks."""
        rows = "".join(
            f"<tr><td style='text-align:left'>{name}</td><td>{_shown(value)}</td>"
            f"<td>{value.n}</td></tr>"
            for name, value in self.metrics.items()
        )
        head = f"<b>{escape(self.facts['title'])}</b> <code>{escape(str(self.folder.root))}</code>"
        notes = "".join(f"<br><i>{escape(note)}</i>" for note in self.notes)
        titles = "<tr><th>metric</th><th>value (95 % interval)</th><th>patients</th></tr>"
        return f"<div>{head}<table>{titles}{rows}</table>{notes}</div>"


def _shown(value: Interval) -> str:
    if value.value is None:
        return "undefined"
    if value.low is None or value.high is None:
        return f"{value.value:.3f}"
    return f"{value.value:.3f} ({value.low:.3f} to {value.high:.3f})"


def _settings(places: Mapping[str, Any]) -> dict[str, Any]:
    """What `ask` takes, of what people write."""
    settings = dict(places)
    place = place_of(settings.pop("device", "auto"), settings.pop("workers", 1))
    return {"place": place} | {k: _files(v) for k, v in settings.items()}


def _files(named: Any) -> Any:  # noqa: ANN401 (a file, several, or None)
    if isinstance(named, list | tuple):
        return [Path(one) for one in named]
    return None if named is None else Path(named)


def _lines(overrides: Overrides) -> list[str]:
    if isinstance(overrides, Mapping):
        return [_line(key, value) for key, value in overrides.items()]
    return list(overrides)


def _line(key: str, value: object) -> str:
    """An override; a class or function stands for itself, by where it is found."""
    import json

    if isinstance(value, type) or isroutine(value):
        whole = key if key.endswith(".name") else f"{key}.name"
        return f"{whole}={json.dumps(reference(value))}"
    return f"{key}={json.dumps(value, default=reference)}"

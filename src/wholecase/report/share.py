"""A report that may be sent on: case ids stay, whatever else names somebody or some place goes.

Patients, sites and what further columns say are numbered, files and folders are not named, reasons
are told by their stage alone: they quote files and headers, into which scanners write names and
accession numbers.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from wholecase.core.errors import RunError
from wholecase.core.files import read_json, write_json, write_text
from wholecase.report.figure_files import write_figures
from wholecase.report.page import page
from wholecase.report.read import read_run
from wholecase.report.records import FoldRecord, ImageCounts, Subgroup
from wholecase.report.run_record import Run
from wholecase.report.voting import VoteRecord
from wholecase.runs import RunFolder, write_rows

REASONS = {
    "label": "it has no usable label",
    "open": "the file cannot be opened",
    "spacing": "its spacing is unknown or does not fit",
    "tissue": "no tissue was found, or its outline does not fit",
    "read": "parts of it cannot be decoded",
    "encode": "it cannot be encoded",
    "killed": "the process that read it was ended",
}
"""Of an exclusion, by its stage."""
LEFT_OUT = "What was found names patients or places, and is left out here."
FACTS: tuple[str, ...] = ("recipe", "title", "classes", "positive", "encoder", "engine")
FACTS += ("cut", "device", "seed", "wholecase")
"""Of `run.json` what is told as it stands; of cohort and splits less, see `_facts`."""
OPEN = ("kind", "magnification", "mpp", "images", "images by label", "images by test fold")
"""What cases or images are parted by whose values name nobody."""


def share(root: Path, out: Path) -> Path:
    """Write page, figures, predictions and metrics of a run into an empty folder; returns the page.

    Pictures show what the images show: writing that is burned into pixels stays.

    Raises:
        RunError: the run is not finished, or something lies in the folder.
    """
    whole, folder = read_run(root), RunFolder(out)
    run = anonymous(whole)
    if out.exists() and any(out.iterdir()):
        raise RunError(f"{out} is not empty; name a folder that is, or a new one")
    out.mkdir(parents=True, exist_ok=True)
    write_figures(replace(run, root=out))
    write_json(folder.metrics, _metrics(read_json(RunFolder(root).metrics), whole, run))
    columns = ("case_id", "patient_id", "fold", "label", *_shares(run), "decision")
    rows = [
        (p.case, p.patient, p.fold, p.label, *p.probabilities, p.decision) for p in run.predictions
    ]
    named = [dict(zip(columns, row, strict=True)) for row in rows]
    write_rows(folder.predictions, columns, named)
    write_text(folder.report, page(run))
    return folder.report


def anonymous(run: Run) -> Run:
    """The run as strangers may see it."""
    ids = {case.id for case in run.cases} | {p.case for p in run.predictions}
    of_all = (run.cases, run.predictions, run.exclusions)
    people = _numbered((one.patient for some in of_all for one in some), ids)
    sites = _sites(run)
    images = _numbered((record.image for record in run.tissue), set(), "image")
    names = {*people, *sites, *images, *_places(run)} - ids - {""}
    return replace(
        run,
        facts=_facts(run.facts),
        cases=tuple(
            replace(c, patient=people[c.patient], site=sites[c.site], label=_known(run, c.label))
            for c in run.cases
        ),
        exclusions=tuple(
            replace(e, patient=people[e.patient], path="", reason=REASONS.get(e.stage, e.stage))
            for e in run.exclusions
        ),
        predictions=tuple(
            replace(p, patient=people[p.patient], label=_known(run, p.label))
            for p in run.predictions
        ),
        tissue=tuple(replace(record, image=images[record.image]) for record in run.tissue),
        notes=tuple(n for n in run.notes if not any(name in n for name in names)),
        checks=tuple(
            replace(c, sentence=LEFT_OUT) if any(name in c.sentence for name in names) else c
            for c in run.checks
        ),
        subgroups=_subgroups(run),
        magnifications=_counts(run),
        recipe=_recipe(run.recipe),
        vote=None if run.vote is None else _numbered_vote(run.vote, _members(run)),
        folds=tuple(_numbered_fold(fold, _members(run)) for fold in run.folds),
    )


def _sites(run: Run) -> dict[str, str]:
    return _numbered((case.site for case in run.cases), {""}, "site")


def _said(run: Run, column: str, values: Sequence[str]) -> list[str]:
    """What stands for the values by which a column parts the cases."""
    if column in OPEN:
        return list(values)
    known = _sites(run) if column == "site" else {}
    numbered = _numbered(values, {"", "(none)"}, "value")
    return [known.get(value, numbered[value]) for value in values]


def _subgroups(run: Run) -> dict[str, tuple[Subgroup, ...]]:
    return {
        column: tuple(
            replace(group, value=said)
            for group, said in zip(
                groups, _said(run, column, [group.value for group in groups]), strict=True
            )
        )
        for column, groups in run.subgroups.items()
    }


def _counts(run: Run) -> tuple[ImageCounts, ...]:
    told = []
    for table in run.magnifications:
        said = _said(run, table.counted, [value for value, *_ in table.rows])
        rows = zip(said, table.rows, strict=True)
        told.append(replace(table, rows=tuple((name, *row[1:]) for name, row in rows)))
    return tuple(told)


def _metrics(told: Mapping[str, Any], whole: Run, run: Run) -> dict[str, Any]:
    """`metrics.json` as the page has it."""
    metrics = {**told, "notes": list(run.notes)}
    if run.checks:
        pairs = zip(told["checks"], run.checks, strict=True)
        metrics["checks"] = [{**one, "sentence": check.sentence} for one, check in pairs]
    for column, groups in run.subgroups.items():
        of_values = told["subgroups"][column].values()
        said = zip((group.value for group in groups), of_values, strict=True)
        metrics["subgroups"] = {**metrics["subgroups"], column: dict(said)}
    if run.vote is not None:
        metrics["vote"] = _vote(told["vote"], _members(whole))
    return metrics


def _voting(told: Mapping[str, Any]) -> dict[str, Any]:
    members = [
        {"name": f"member {n}", "path": f"member-{n}", "recipe": one.get("recipe")}
        for n, one in enumerate(told["members"], 1)
    ]
    return {**told, "members": members}


def _members(run: Run) -> dict[str, str]:
    """The runs of a vote are named by their folders."""
    members = run.vote.members if run.vote else ()
    return {one.name: f"member {n}" for n, one in enumerate(members, 1)}


def _numbered_vote(vote: VoteRecord, names: Mapping[str, str]) -> VoteRecord:
    members = tuple(replace(one, name=names[one.name]) for one in vote.members)
    return replace(vote, members=members, best=names.get(vote.best, ""))


def _numbered_fold(fold: FoldRecord, names: Mapping[str, str]) -> FoldRecord:
    """Without the reasons for which a member is out: they name others."""
    if "members" not in fold.choices:
        return fold
    told = [{**one, "name": names[one["name"]], "reason": ""} for one in fold.choices["members"]]
    return replace(fold, choices={**fold.choices, "members": told})


def _vote(told: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    members = [{**one, "name": names[one["name"]]} for one in told["members"]]
    return {**told, "members": members, "best": names[told["best"]]}


def _numbered(names: Iterable[str], kept: set[str], word: str = "patient") -> dict[str, str]:
    found: dict[str, str] = {}
    for name in names:
        found.setdefault(name, name if name in kept else f"{word} {len(found) + 1}")
    return found


def _known(run: Run, label: str) -> str:
    return label if label in run.classes else ""


def _shares(run: Run) -> list[str]:
    return [f"probability_{name}" for name in run.classes]


def _places(run: Run) -> set[str]:
    """Folders and files that notes may name."""
    cohort = str((run.facts.get("cohort") or {}).get("path") or "")
    paths = [Path(text) for text in (cohort, *(e.path for e in run.exclusions)) if text]
    return {str(path) for path in paths} | {path.name for path in paths}


def _facts(facts: Mapping[str, Any]) -> dict[str, Any]:
    cohort, splits = facts.get("cohort") or {}, facts.get("splits") or {}
    return {
        **{name: facts[name] for name in FACTS if name in facts},
        "versions": facts.get("versions"),
        "cohort": {key: value for key, value in cohort.items() if key != "path"},
        "splits": {key: value for key, value in splits.items() if key != "from"},
        "repeat": {"home": None, "run": "run", "cohort": "cohort.csv", "splits": False},
        **({"vote": _voting(facts["vote"])} if "vote" in facts else {}),
    }


def _recipe(text: str) -> str:
    """Without the places of files: of weights, and of whatever else is one."""
    if not text:
        return ""
    # the schema behind it takes longer to import than a page to write
    from wholecase.recipes import parse_yaml, yaml_text

    return yaml_text(_placeless(parse_yaml(text, "recipe.yaml")))


def _placeless(value: Any) -> Any:  # noqa: ANN401 (whatever YAML holds)
    if isinstance(value, dict):
        return {key: _placeless(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_placeless(one) for one in value]
    is_place = isinstance(value, str) and any(sign in value for sign in "/\\")
    return "a file" if is_place else value

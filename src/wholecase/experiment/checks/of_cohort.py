"""Whether the labels are told by something beside the disease, and whether sides are apart."""

from collections import Counter
from collections.abc import Mapping

from wholecase.cohort import anonymity_note
from wholecase.core.files import read_json
from wholecase.core.seeds import seed_of
from wholecase.evaluation import Interval, measure
from wholecase.experiment.checks.question import Examined, Outcome, failed, not_applicable, passed
from wholecase.experiment.checks.telling import told_by

SHOWN = 5
"""Pairs that are named."""
TELLING = 0.7
"""From this AUROC on, with its interval above one half, a column tells the label."""


def two_sides(run: Examined) -> Outcome:
    """What was compared before the first step; a run that finds a copy does not begin."""
    path = run.bench.run.copies
    if not path.is_file():
        return not_applicable("The sides were not compared.")
    if run.bench.recipe.protocol.group == "image":
        return failed(_images_divided(run))
    told = read_json(path)
    pairs, images = told["pairs"], told["images"]
    if not pairs:
        return passed(
            f"No patient, file or picture is on two sides of a fold: {images} images were compared "
            f"by content and name before the first step, {told['compared']} of them by what they "
            "show, recompressed, resized or turned."
        )
    named = "; ".join(f"{a} and {b}" for a, b in [one["cases"] for one in pairs[:SHOWN]])
    return failed(
        f"{len(pairs)} pairs of images of one picture, slide or patient are on two sides of a fold "
        f"(cases {named}{', ...' if len(pairs) > SHOWN else ''}): every figure may be better than "
        "it would be on new patients."
    )


def _images_divided(run: Examined) -> str:
    """Of how many patients other pictures taught, and what figures are then."""
    both = {
        case.patient
        for fold in run.bench.folds
        for case in fold.test
        if case.patient in {one.patient for one in (*fold.train, *fold.valid)}
    }
    patients = len({one.case.patient for one in run.judged})
    return (
        f"Images were divided, not patients (protocol.group=image): of {len(both)} of {patients} "
        "patients other pictures taught the model that judged, so that every figure is better than "
        "it would be on new patients; intervals are by patient, and do not mend that."
    )


def known_patients(run: Examined) -> Outcome:
    """Whether the division by patient is one."""
    note = anonymity_note(run.cohort)
    return failed(note) if note else passed("The patient of every case is known.")


def telling_columns(run: Examined) -> Outcome:
    """Whether a column of the manifest, or what is counted of a case, tells the label."""
    columns = {**run.columns, **_counted(run)}
    found: dict[str, Interval] = {}
    for column, cells in columns.items():
        scores = told_by(cells, run.bench.folds, run.bench.classes)
        if scores is not None:
            seed = seed_of(run.bench.recipe.protocol.seed, "column", column)
            one = measure(scores, only=("auroc",), seed=seed)["auroc"]
            if one.value is not None and one.low is not None:
                found[column] = one
    if not found:
        return not_applicable("The manifest tells nothing of the cases beside images and labels.")
    loud = {c: one for c, one in found.items() if _is_loud(one)}
    most = max(found, key=lambda column: found[column].value or 0)
    if not loud:
        return passed(
            f"Of {len(found)} columns and counts none tells the label; most does {most!r} "
            f"(AUROC {_words(found[most])})."
        )
    told = "; ".join(f"{column!r} AUROC {_words(one)}" for column, one in loud.items())
    return failed(
        f"Without any image the label is told by {told}, learnt on the training side of each fold: "
        "a model can learn that instead of the disease; see the figures within its values."
    )


def _is_loud(one: Interval) -> bool:
    return (one.value or 0) >= TELLING and (one.low or 0) > 0.5


def _words(one: Interval) -> str:
    return f"{one.value:.3f}, {one.low:.3f} to {one.high:.3f}"


def _counted(run: Examined) -> dict[str, Mapping[str, str]]:
    """What a case is, told without looking at a pixel."""
    extraction, cases = run.bench.extraction, run.bench.cases
    counts = {
        "number of images": {case.id: str(len(case.images)) for case in cases},
        "number of instances": {
            case.id: str(sum(extraction.instances(i) for i in case.images if extraction.has(i)))
            for case in cases
        },
        "file type": {case.id: case.images[0].path.suffix.lower() for case in cases},
    }
    return {name: cells for name, cells in counts.items() if len(set(cells.values())) > 1}


def unlike(run: Examined) -> Outcome:
    """Whether more judged cases are unlike those learnt from than chance would mark."""
    known = [one for one in run.judged if one.novelty is not None]
    marked = sum(one.is_unlike for one in known)
    if not known:
        return not_applicable("How far cases lie from those learnt from was not measured.")
    told = f"{marked} of {len(known)} judged cases are unlike those that their model learnt from"
    if marked <= 1 + 2 * len(known) // 100:
        return passed(f"{told}.")
    sites = Counter(one.case.site for one in known if one.is_unlike and one.case.site)
    where = f", most of them of site {sites.most_common(1)[0][0]!r}" if sites else ""
    return failed(
        f"{told}, where 1 in 100 of the same kind would be{where}: folds, sites or scanners differ."
    )

"""Images are divided instead of patients by nobody's mistake, and then every figure says so."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from toys.quick import PICTURES
from wholecase.assemble import divisible, labels_of, split_of
from wholecase.cohort import Case, Fold, by_image, read_cohort
from wholecase.core.errors import SplitError
from wholecase.execution import Place
from wholecase.experiment import Settings, Summary, ask, question_of, run, stored_answer
from wholecase.recipes import Recipe, read_recipe
from wholecase.report import compare, write_card
from wholecase.runs import mark_in, read_rows

PATIENTS, EACH = 6, 2
CHANGES = (
    *PICTURES,
    "protocol={kind: nested, folds: 2, validation: 0.34, group: image}",
)
WHY = "evaluate={bootstrap: 100, pictures: 0, muted: {WC001: as other papers divide}}"
MARK = "Images divided, not patients: not a measure of new patients"


def recipe(*changes: str) -> Recipe:
    return read_recipe("metric-ensemble", [*CHANGES, *changes])


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("images")
    rng, rows = np.random.default_rng(0), ["case_id,patient_id,path,kind,label,magnification"]
    for patient in range(PATIENTS):
        for number in range(EACH):
            small = rng.integers(0, 255, (12, 12, 3)).astype(np.uint8)
            picture = Image.fromarray(small).resize((48, 48), Image.Resampling.BICUBIC)
            picture.save(folder / f"{patient}-{number}.png")
            power = 40 if number % 2 else 100
            rows.append(
                f"c{patient},p{patient},{patient}-{number}.png,still,{'ab'[patient % 2]},{power}"
            )
    (folder / "cohort.csv").write_text("\n".join(rows) + "\n")
    return folder / "cohort.csv"


@pytest.fixture(scope="module")
def done(manifest: Path, tmp_path_factory: pytest.TempPathFactory) -> Summary:
    settings = Settings(tmp_path_factory.mktemp("run") / "forced", place=Place(workers=0))
    return run(recipe(WHY), manifest, settings)


def test_without_a_reason_nothing_begins(manifest: Path, tmp_path: Path) -> None:
    wanted = (
        r"both sides, which measures how well patients are known again; .* evaluate.muted.WC001"
    )
    with pytest.raises(SplitError, match=wanted):
        run(recipe(), manifest, Settings(tmp_path / "run", place=Place(workers=0)))
    assert not (tmp_path / "run").exists()
    given = recipe(WHY, "protocol.kind=given")
    with pytest.raises(SplitError, match="a given split has its own division"):
        split_of(given, read_cohort(manifest, labels_of(given)), None)


def test_an_image_is_divided_by_itself_and_stays_its_patients(manifest: Path) -> None:
    cohort = read_cohort(manifest, labels_of(recipe()))
    apart = by_image(cohort)
    assert [case.id for case in apart.cases[:5]] == ["c0#0", "c0#1", "c1#0", "c1#1", "c2#0"]
    assert [len(case.images) for case in apart.cases] == [1] * PATIENTS * EACH
    assert apart.patients == cohort.patients
    assert by_image(apart) is apart
    asked = recipe(WHY)
    split = split_of(asked, divisible(asked, cohort), None)
    assert split.protocol == "image"
    for fold in split.folds:
        taught, judged = ({case.patient for case in side} for side in (fold.train, fold.test))
        assert taught & judged
        assert not {case.id for case in fold.train} & {case.id for case in fold.test}


def test_by_default_the_same_division_cannot_be_made(manifest: Path) -> None:
    cohort = read_cohort(manifest, labels_of(recipe()))
    apart = by_image(cohort).cases
    one, other = (Case(c.id, c.patient, c.images, c.label, c.target) for c in apart[:2])
    with pytest.raises(SplitError, match="has patients on two sides: p0"):
        Fold(0, (one,), (), (other,))


def test_every_figure_is_marked_and_intervals_are_by_patient(done: Summary) -> None:
    metrics = json.loads(done.run.metrics.read_text())
    (check,) = [one for one in metrics["checks"] if one["code"] == "WC001"]
    assert (check["state"], check["reason"]) == ("muted", "as other papers divide")
    assert re.search(rf"of [2-6] of {PATIENTS} patients other pictures taught", check["sentence"])
    assert metrics["notes"][0].startswith("WC001: Images were divided, not patients")
    assert metrics["pooled"]["auroc"]["n"] == PATIENTS
    parts = metrics["subgroups"]["magnification"]
    assert {name: part["cases"] for name, part in parts.items()} == {"40": 6, "100": 6}
    assert len(read_rows(done.run.predictions)) == PATIENTS * EACH
    page = done.run.report.read_text()
    drawn = page.count('<div class="drawing') + page.count('<div class="multiples">')
    assert page.count(f'<p class="mark">{MARK}') > drawn
    assert "No patient stands on two sides" not in page
    assert "each by the model of the fold that never saw its patient" not in page
    assert MARK in done.run.figure("roc.svg").read_text()
    told = done.run.results.read_text()
    tables = [number for number, line in enumerate(told.splitlines()) if line.startswith("| ---")]
    assert told.count(f"**{MARK}**\n\n|") == len(tables) > 0


def test_card_comparison_and_answers_about_new_cases_carry_it(
    done: Summary, manifest: Path, tmp_path: Path
) -> None:
    card = write_card(done.run.root).read_text()
    assert card.count(f"**{MARK}**") >= 1
    assert "Images, not patients. Images were divided" in card
    assert mark_in(done.run) == MARK
    shutil.copytree(done.run.root, tmp_path / "other")
    told = compare([done.run.root, tmp_path / "other"])
    assert told.marks == (f"forced: {MARK}", f"other: {MARK}")
    asked = ask(question_of(done.run.root, (), manifest))
    assert asked.notes[0] == f"forced was judged by sides that are not apart. {MARK}"
    assert len(asked.cases) == PATIENTS, "new cases are asked about whole"
    case, evidence = stored_answer(done.run.root, "c3#1")
    assert case.images[0].path.name == "3-1.png"
    assert len(evidence.weights) == 1

"""What a run is asked about itself: each check fails on what it is for, and passes without."""

import json
from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit

from wholecase.answer import Judgement
from wholecase.cohort import Case, Cohort, Fold, Image, columns_of
from wholecase.core.errors import RecipeError
from wholecase.core.files import write_json
from wholecase.evaluation import HIGHEST
from wholecase.execution import Place
from wholecase.experiment.checks import CHECKS, Examined, examined, refuse_unknown_codes
from wholecase.experiment.checks.telling import told_by
from wholecase.experiment.outer import Bench
from wholecase.experiment.subgroups import of_subgroups
from wholecase.extract import Extraction
from wholecase.recipes import read_recipe
from wholecase.runs import RunFolder, write_rows


def cases(count):
    return tuple(
        Case(f"c{i}", f"p{i}", (), label=("no", "yes")[i % 2], target=i % 2) for i in range(count)
    )


def folds_of(all_cases, count):
    parts = [all_cases[i::count] for i in range(count)] if count % 2 else None
    parts = parts or [
        all_cases[2 * i :: 2 * count] + all_cases[2 * i + 1 :: 2 * count] for i in range(count)
    ]
    return tuple(
        Fold(
            n,
            parts[(n + 1) % count],
            sum((parts[(n + k) % count] for k in range(2, count)), ()),
            parts[n],
        )
        for n in range(count)
    )


def judged(folds, rng, gap=2.0):
    told = []
    for fold in folds:
        for case in fold.test:
            p = expit(gap * (case.target - 0.5) * 2 + rng.normal())
            row = np.array([1 - p, p])
            told.append(Judgement(case, ("no", "yes"), fold.number, row, row, int(p > 0.5)))
    return told


@pytest.fixture
def run(tmp_path):
    """A run of 100 patients in five folds as far as the checks look at it."""
    folder, all_cases = RunFolder(tmp_path), cases(100)
    folds = folds_of(all_cases, 5)
    for fold in folds:
        write_json(
            folder.fold(fold.number).choices, {"epoch": 5, "temperature": 1.2, "threshold": 0.5}
        )
        rows = [
            {
                "case_id": c.id,
                "patient_id": c.patient,
                "label": c.label,
                "probability_yes": 0.5 + 0.4 * (c.target - 0.5),
            }
            for c in fold.valid
        ]
        write_rows(folder.fold(fold.number).inner, list(rows[0]), rows)
        history = [
            {"epoch": n, "train_loss": 0.3, "valid_loss": 0.4, "best": int(n == 5)}
            for n in range(8)
        ]
        write_rows(folder.fold(fold.number).history, list(history[0]), history)
    all_cases = tuple(
        replace(c, images=(Image(tmp_path / "x.png", "still", 2),)) for c in all_cases
    )
    extraction = Extraction(
        "colour",
        3,
        {},
        (),
        {tmp_path / "x.png": "b"},
        {},
        encoded=0,
        reused=0,
        tiles=0,
        skipped={},
        workers=0,
    )
    recipe = read_recipe("egfr-clam")
    bench = Bench(recipe, extraction, ("no", "yes"), folder, folds, all_cases, Place(workers=0))
    metrics = {
        "pooled": {
            "auroc": {"value": 0.9, "low": 0.8, "high": 0.95},
            "auroc_pooled": {"value": 0.89},
            "calibration_slope": {"value": 1.1, "low": 0.8, "high": 1.4},
            "calibration_intercept": {"value": 0.1, "low": -0.2, "high": 0.4},
        },
        "baselines": {"logistic": {}},
    }
    cohort = Cohort(tmp_path / "c.csv", all_cases, ("no", "yes"))
    return Examined(bench, judged(folds, np.random.default_rng(2)), cohort, {}, metrics, [])


def states(run):
    return {one["code"]: one["state"] for one in examined(run)}


def changed(run, **pooled):
    return replace(run, metrics=run.metrics | {"pooled": run.metrics["pooled"] | pooled})


def test_a_run_without_fault_passes_all_and_tells_of_each(run):
    told = examined(run)
    assert [one["code"] for one in told] == list(CHECKS)
    assert {one["code"] for one in told if one["state"] == "failed"} == set()
    assert all(
        one["sentence"].endswith(".") and one["page"] == f"docs/checks.md#{one['code'].lower()}"
        for one in told
    )


def test_every_check_has_its_line_on_the_page_that_it_names():
    from pathlib import Path

    page = (Path(__file__).parents[2] / "docs" / "checks.md").read_text()
    for code in CHECKS:
        assert f'<a id="{code.lower()}"></a>{code} |' in page


@pytest.mark.parametrize(
    ("code", "pooled"),
    [
        ("WC008", {"auroc": {"value": 1.0, "low": 0.9, "high": 1.0}}),
        ("WC009", {"auroc_pooled": {"value": 0.8}}),
        ("WC010", {"calibration_slope": {"value": 0.4, "low": 0.2, "high": 0.6}}),
        ("WC011", {"auroc": {"value": 0.6, "low": 0.45, "high": 0.7}}),
    ],
)
def test_figures_fail_their_checks(run, code, pooled):
    assert states(changed(run, **pooled))[code] == "failed"


def test_a_plain_model_that_is_not_beaten_fails_and_one_that_was_not_asked_does_not(run):
    assert states(replace(run, unbeaten=["The run does not beat it."]))["WC002"] == "failed"
    assert (
        states(replace(run, metrics=run.metrics | {"baselines": {}}))["WC002"] == "not applicable"
    )


def test_a_fold_whose_model_is_upside_down_is_far_from_the_others(run):
    told = [
        replace(one, probabilities=one.probabilities[::-1]) if one.judge == 3 else one
        for one in run.judged
    ]
    found = next(one for one in examined(replace(run, judged=told)) if one["code"] == "WC003")
    assert found["state"] == "failed"
    assert "fold 3" in found["sentence"]
    assert "fold 2" not in found["sentence"]


def test_few_patients_and_few_positives_are_told_with_the_half_width(run):
    few = replace(run, judged=run.judged[:40])
    found = {one["code"]: one for one in examined(few)}
    assert found["WC007"]["state"] == "failed"
    assert "0.075" in found["WC007"]["sentence"]
    inner = run.bench.run.fold(2).inner
    rows = inner.read_text().splitlines()
    inner.write_text("\n".join(rows[:12]) + "\n")
    found = next(one for one in examined(run) if one["code"] == "WC006")
    assert found["state"] == "failed"
    assert "fold 2" in found["sentence"]


@pytest.mark.parametrize(
    ("choices", "says"),
    [
        ({"epoch": 0}, "keep the first epoch"),
        ({"temperature": HIGHEST}, "the temperature of fold 0, 1, 2, 3, 4"),
        ({"head": {"k": 25}, "head_tried": {"k": [1, 5, 25]}}, "greatest k that is tried (25)"),
    ],
)
def test_a_choice_that_its_range_stopped_is_told(run, choices, says):
    for fold in run.bench.folds:
        path = run.bench.run.fold(fold.number).choices
        write_json(path, json.loads(path.read_text()) | choices)
    found = next(one for one in examined(run) if one["code"] == "WC004")
    assert (found["state"], says in found["sentence"]) == ("failed", True)


def test_a_muted_check_tells_what_it_found_and_why_that_is_no_matter(run):
    recipe = read_recipe("egfr-clam", ["evaluate.muted={WC008: this is a drawn cohort}"])
    quiet = replace(run, bench=replace(run.bench, recipe=recipe))
    perfect = changed(quiet, auroc={"value": 1.0, "low": 0.9, "high": 1.0})
    found = {one["code"]: one for one in examined(perfect)}["WC008"]
    assert (found["state"], found["reason"]) == ("muted", "this is a drawn cohort")
    assert {one["code"]: one for one in examined(quiet)}["WC008"]["state"] == "passed"


def test_muting_needs_a_known_code_and_a_reason():
    with pytest.raises(RecipeError, match="no check is called 'WC999'"):
        refuse_unknown_codes({"WC999": "because"})
    with pytest.raises(RecipeError, match="muted"):
        read_recipe("egfr-clam", ["evaluate.muted={WC008: no}"])


def column(run, tell):
    return {case.id: tell(case) for case in run.bench.cases}


def test_a_column_that_gives_the_label_away_is_told_and_noise_is_not(run):
    rng = np.random.default_rng(4)
    of_label = column(run, lambda c: f"scanner {c.target if rng.random() < 0.9 else 1 - c.target}")
    dates = column(run, lambda c: f"20{20 + c.target}-0{1 + rng.integers(9)}-1{rng.integers(9)}")
    noise = column(run, lambda c: str(rng.integers(3)))
    ages = column(run, lambda c: f"{rng.normal(60, 9):.1f}")
    names = column(run, lambda c: f"{c.label} {c.id}")
    found = {
        one["code"]: one
        for one in examined(replace(run, columns={"noise": noise, "age": ages, "note": names}))
    }
    assert found["WC005"]["state"] == "passed"
    told = replace(run, columns={"scanner": of_label, "noise": noise, "day": dates})
    found = {one["code"]: one for one in examined(told)}["WC005"]
    assert found["state"] == "failed"
    assert "'scanner'" in found["sentence"]
    assert "'day'" in found["sentence"]
    assert "'noise'" not in found["sentence"]


def test_what_a_column_says_is_learnt_on_other_patients(run):
    """A value that only test cases have says nothing of them."""
    fold = run.bench.folds[0]
    cells = {c.id: "a" for c in (*fold.train, *fold.valid)} | {c.id: c.label for c in fold.test}
    scores = told_by(cells, [fold], ("no", "yes"))
    assert np.ptp(scores.probabilities[:, 1]) < 1e-12


def test_columns_are_what_the_manifest_tells_beside_images_and_labels(tmp_path):
    from wholecase.assemble import labels_of
    from wholecase.cohort import read_cohort

    recipe = read_recipe("egfr-clam")
    path = tmp_path / "cohort.csv"
    path.write_text(
        "case_id,patient_id,path,kind,label,site,scanner,age,empty\n"
        "a,p1,a.png,tile,wild-type,north,X,60,\n"
        "a,p1,b.png,tile,wild-type,north,Y,60,\n"
        "b,p2,c.png,tile,mutated,south,X,70,\n"
        "c,p3,d.png,tile,mutated,south,Y,71,\n"
    )
    labels = labels_of(recipe)
    found = columns_of(read_cohort(path, labels), labels)
    assert found == {
        "site": {"a": "north", "b": "south", "c": "south"},
        "scanner": {"b": "X", "c": "Y"},
        "age": {"a": "60", "b": "70", "c": "71"},
    }


def test_subgroups_are_told_with_what_is_true_of_them(run):
    site = column(
        run,
        lambda c: ("north", "south", "tiny")[
            0 if int(c.id[1:]) < 60 else 1 if int(c.id[1:]) < 97 else 2
        ],
    )
    age = column(run, lambda c: c.id[1:])
    many = column(run, lambda c: f"word {c.id}")
    recipe = read_recipe("egfr-clam", ["evaluate.bootstrap=100"])
    found = of_subgroups(run.judged, {"site": site, "age": age, "many": many}, recipe)
    assert set(found) == {"site", "age"}
    assert {k: v["patients"] for k, v in found["site"].items()} == {
        "north": 60,
        "south": 37,
        "tiny": 3,
    }
    assert found["site"]["tiny"]["metrics"] == {}
    north = [one for one in run.judged if site[one.case.id] == "north"]
    right = np.mean([one.decision == one.case.target for one in north if one.case.target == 1])
    assert found["site"]["north"]["metrics"]["sensitivity"]["value"] == pytest.approx(right)
    assert list(found["age"]) == ["1: up to 33", "2: 33 to 66", "3: above 66"]

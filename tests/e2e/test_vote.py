"""A vote of trained runs on different features is asked about new cases."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import wholecase
from wholecase.answer import joint_evidence, load_run
from wholecase.cli import main
from wholecase.core.errors import ManifestError, RunError
from wholecase.experiment import Summary, Terms, ask, ballot, question_of, stored_answer, vote
from wholecase.explain import read_evidence
from wholecase.runs import RunFolder, read_rows

ALL = Terms(admit="all", weights="validation")


@pytest.fixture(scope="module")
def voted(
    finished: Summary, cohort_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> RunFolder:
    """Of tiles cut at two sizes, which are no features of one another."""
    from toys.quick import quick
    from wholecase.execution import Place
    from wholecase.experiment import Settings, run

    home = tmp_path_factory.mktemp("vote")
    shutil.copytree(finished.run.root, home / "large")
    recipe = quick("cut.side_px=64", "model.aggregator=mean", "train.epochs=1")
    place = Place(workers=0)
    settings = Settings(out=home / "small", place=place, splits=finished.run.splits)
    run(recipe, cohort_file, settings)
    return vote(ballot([home / "large", home / "small"], ALL), home / "both")


@pytest.fixture(scope="module")
def new(cohort_file: Path) -> list[Path]:
    return [cohort_file.parent / name for name in ("02-0.png", "03-1.png")]


def test_it_says_the_mean_of_what_the_fold_models_of_all_say(
    voted: RunFolder, new: list[Path]
) -> None:
    roots = [voted.root.parent / name for name in ("large", "small")]
    alone = [list(ask(question_of(root, new)).judgements) for root in roots]
    folds = {n: voted.fold(n) for n in voted.fold_numbers}
    weights = {
        n: [one["weight"] for one in json.loads(fold.choices.read_text())["members"]]
        for n, fold in folds.items()
    }
    together = list(ask(question_of(voted.root, new)).judgements)
    for said, *parts in zip(together, *alone, strict=True):
        by_fold = [
            np.average([part.others[n].probabilities for part in parts], 0, weights[n])
            for n in range(len(folds))
        ]
        np.testing.assert_allclose(said.probabilities, np.mean(by_fold, 0))
        assert [one.judge for one in said.others] == list(folds)
        assert said.seen == "file"
        assert said.novelty is not None


def test_predict_writes_probabilities_and_what_a_challenge_asks_for(
    voted: RunFolder, new: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = ["10.png", "9.png", "b.png"]
    for name, source in zip(names, [*new, new[0]], strict=True):
        shutil.copyfile(source, tmp_path / name)
    images = [str(tmp_path / name) for name in names]
    files = ["--out", str(tmp_path / "p.csv"), "--submission", str(tmp_path / "s.csv")]
    with pytest.raises(SystemExit) as ended:
        main(["predict", str(voted.root), *images, *files])
    assert ended.value.code == 0
    told = {row["case_id"]: row["decision"] for row in read_rows(tmp_path / "p.csv")}
    rows = read_rows(tmp_path / "s.csv")
    assert [row["image_id"] for row in rows] == ["9", "10", "b"]
    classes = ("wild-type", "mutated")
    assert {row["image_id"]: classes[int(row["label"])] for row in rows} == told
    capsys.readouterr()


def test_a_submission_needs_one_image_a_case_and_names_that_differ(
    voted: RunFolder, new: list[Path], cohort_file: Path, tmp_path: Path
) -> None:
    from wholecase.experiment import refuse_unnamed

    several = question_of(voted.root, cohort=cohort_file).cohort.cases
    with pytest.raises(ManifestError, match="have several; use --out"):
        refuse_unnamed(several)
    (tmp_path / "x").mkdir()
    shutil.copyfile(new[0], tmp_path / "x" / new[0].name)
    twins = question_of(voted.root, [new[0], tmp_path / "x" / new[0].name]).cohort.cases
    with pytest.raises(ManifestError, match="same name"):
        refuse_unnamed(twins)


def test_a_case_of_the_run_is_explained_by_those_who_voted_on_it(voted: RunFolder) -> None:
    row = read_rows(voted.predictions)[0]
    case, evidence = stored_answer(voted.root, row["case_id"])
    assert case.id == row["case_id"]
    parts = [
        read_evidence(RunFolder(voted.root.parent / name).evidence(case.id))
        for name in ("large", "small")
    ]
    mean = np.mean([part.weights for part in parts], 0)
    np.testing.assert_allclose(evidence.weights, mean, rtol=1e-6)
    # of other instances no mean can be told
    of_others = joint_evidence([parts[0], parts[1].of_image(0)])
    np.testing.assert_array_equal(of_others.weights, parts[0].weights)


def test_what_a_vote_cannot_do_is_said_in_a_sentence(voted: RunFolder, new: list[Path]) -> None:
    with pytest.raises(RunError, match="is a vote of runs, each with models and features"):
        load_run(voted.root, "cpu")
    with pytest.raises(RunError, match="leave out --weights"):
        ask(question_of(voted.root, new), weights=Path("x.safetensors"))


def test_a_vote_moves_with_its_members_and_stops_where_one_was_changed(
    voted: RunFolder, new: list[Path], tmp_path: Path
) -> None:
    shutil.copytree(voted.root.parent, tmp_path / "elsewhere")
    home = tmp_path / "elsewhere"
    moved = wholecase.open_run(home / "both")
    told = moved.predict(*new)
    before = list(ask(question_of(voted.root, new)).judgements)
    np.testing.assert_array_equal(told[0].probabilities, before[0].probabilities)
    choices = home / "small" / "folds" / "0" / "choices.json"
    choices.write_text(choices.read_text().replace('"threshold"', ' "threshold"'))
    with pytest.raises(RunError, match=r"was changed since .*; vote again"):
        moved.predict(*new)
    shutil.rmtree(home / "small")
    with pytest.raises(RunError, match="no longer at"):
        moved.predict(*new)


def test_python_has_the_same(voted: RunFolder, tmp_path: Path) -> None:
    home = voted.root.parent
    runs = [wholecase.open_run(home / "large"), home / "small"]
    again = wholecase.vote(runs, tmp_path / "v", admit="all", weights="validation")
    assert again.folder.predictions.read_bytes() == voted.predictions.read_bytes()
    assert again.metrics["auroc"].n > 0
    with pytest.raises(RunError, match="admits no two"):
        wholecase.vote(runs, tmp_path / "w", accuracy=1.0)

"""A vote of trained runs on different features is asked about new cases."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import wholecase
from wholecase.answer import joint_evidence, judge, load_run
from wholecase.assemble import bags_of
from wholecase.cli import main
from wholecase.core.errors import ManifestError, RunError
from wholecase.execution import Place
from wholecase.experiment import Summary, Terms, ask, ballot, question_of, stored_answer, vote
from wholecase.explain import read_evidence
from wholecase.runs import RunFolder, read_rows, voters, write_rows

ALL = Terms(admit="all", weights="validation")


@pytest.fixture(scope="module")
def voted(
    finished: Summary, cohort_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> RunFolder:
    """Of tiles cut at two sizes, which are no features of one another."""
    from toys.quick import quick
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


def test_of_runs_that_take_the_same_input_the_vote_is_one_model(
    voted: RunFolder, new: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("large", "twin"):
        shutil.copytree(voted.root.parent / "large", tmp_path / name)
    twin = RunFolder(tmp_path / "twin")
    first, second = (twin.fold(n).model.read_bytes() for n in (0, 1))
    twin.fold(0).model.write_bytes(second)
    twin.fold(1).model.write_bytes(first)
    rows = read_rows(twin.fold(2).inner)  # it is wrong about an inner case, and counts less
    names = [name for name in rows[0] if name.startswith("probability_")]
    rows[0][names[0]], rows[0][names[1]] = rows[0][names[1]], rows[0][names[0]]
    write_rows(twin.fold(2).inner, list(rows[0]), rows)
    roots = [tmp_path / "large", twin.root]
    twins = vote(ballot(roots, Terms(admit="all", weights="validation")), tmp_path / "both")
    assert len(set(voters(twins, 2).values())) == 2
    again = vote(ballot([roots[0], twins.root], Terms(admit="all")), tmp_path / "again")
    for folder in (twins, again):
        trained = load_run(folder.root, "cpu")
        asked = ask(question_of(folder.root, new))
        store = tmp_path / "features"
        extraction = bags_of(trained.recipe, question_of(folder.root, new).cohort, store, Place())
        one = judge([trained.vote], asked.cases, extraction)
        for (said,), apart in zip(one, asked.judgements, strict=True):
            np.testing.assert_allclose(said.probabilities, apart.probabilities, atol=1e-12)
            assert said.decision == apart.decision
    with pytest.raises(SystemExit) as ended:
        main(["export", str(twins.root), "--onnx", str(tmp_path / "vote.onnx")])
    assert ended.value.code == 1
    assert "vote again with --weights equal" in capsys.readouterr().err


@pytest.mark.slow
def test_a_vote_that_is_one_model_is_exported(voted: RunFolder, tmp_path: Path) -> None:
    roots = [tmp_path / "one", tmp_path / "other"]
    for root in roots:
        shutil.copytree(voted.root.parent / "large", root)
    alike = vote(ballot(roots, Terms(admit="all")), tmp_path / "alike")
    graph = tmp_path / "vote.onnx"
    with pytest.raises(SystemExit) as ended:
        main(["export", str(alike.root), "--onnx", str(graph)])
    assert ended.value.code == 0
    told = json.loads(graph.with_suffix(".json").read_text())
    assert told["folds"] == [0, 1, 2, 0, 1, 2]
    assert told["threshold"] == load_run(alike.root, "cpu").threshold


def test_what_a_vote_cannot_do_is_said_in_a_sentence(voted: RunFolder, new: list[Path]) -> None:
    with pytest.raises(RunError, match="take different inputs, so that they are no one model"):
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

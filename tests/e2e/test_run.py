"""From a cohort of images to an evaluated, explained answer per case."""

import json
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from toys.quick import quick, write_cohort
from wholecase.core.errors import RunError, SplitError, WeightsError
from wholecase.core.files import read_json
from wholecase.evaluation import METRICS, undo_temperature
from wholecase.execution import Place
from wholecase.experiment import Settings, Summary, run
from wholecase.explain import read_evidence
from wholecase.report import compare_runs, write_report
from wholecase.runs import RunFolder, read_rows


def test_every_number_has_a_value_an_interval_and_the_number_of_patients(finished: Summary) -> None:
    metrics = json.loads(finished.run.metrics.read_text())
    assert set(metrics["pooled"]) == set(METRICS)
    for name, told in metrics["pooled"].items():
        assert told["n"] == 23
        if told["low"] is None:
            assert told["reason"], name
        else:
            assert told["low"] <= told["value"] <= told["high"]
    assert metrics["pooled"]["auroc"]["method"] == "formula"
    assert [fold["fold"] for fold in metrics["folds"]] == [0, 1, 2]
    assert sum(fold["metrics"]["auroc"]["n"] for fold in metrics["folds"]) == 23
    assert any("23 patients" in note for note in metrics["notes"])


def test_each_epoch_tells_the_inner_patients_metric(finished: Summary) -> None:
    for number in range(3):
        rows = read_rows(finished.run.fold(number).history)
        means = ["valid_p_positive", "valid_p_negative", "valid_separation"]
        columns = ["epoch", "train_loss", "valid_loss", "valid_auroc", *means, "best"]
        assert list(rows[0]) == columns
        (best,) = [row for row in rows if row["best"] == "1"]
        inner = read_rows(finished.run.fold(number).inner)
        truth = np.array([row["label"] == "mutated" for row in inner])
        shares = np.array([float(row["probability_mutated"]) for row in inner])
        # calibration keeps the order
        assert float(best["valid_auroc"]) == pytest.approx(roc_auc_score(truth, shares))
        choices = read_json(finished.run.fold(number).choices)
        both = np.stack([1 - shares, shares], 1)
        raw = undo_temperature(both, choices["temperature"], choices["shift"])[:, 1]
        positive, negative = raw[truth].mean(), raw[~truth].mean()
        assert float(best["valid_p_positive"]) == pytest.approx(positive, rel=1e-5)
        assert float(best["valid_p_negative"]) == pytest.approx(negative, rel=1e-5)
        assert float(best["valid_separation"]) == pytest.approx(positive - negative, rel=1e-5)


def test_it_learns(finished: Summary) -> None:
    assert finished.metrics["pooled"]["auroc"]["value"] > 0.95


def test_each_case_is_judged_once_by_a_model_that_never_saw_its_patient(finished: Summary) -> None:
    rows = read_rows(finished.run.predictions)
    assert sorted(row["case_id"] for row in rows) == [f"c{i:02}" for i in range(24)]
    sides = {(r["fold"], r["case_id"]): r["side"] for r in read_rows(finished.run.splits)}
    patients = {}
    for row in read_rows(finished.run.splits):
        patients.setdefault((row["fold"], row["patient_id"]), set()).add(row["side"])
    assert all(len(where) == 1 for where in patients.values())
    for row in rows:
        assert sides[row["fold"], row["case_id"]] == "test"
        shares = [float(row["probability_wild-type"]), float(row["probability_mutated"])]
        assert sum(shares) == pytest.approx(1)


def test_the_threshold_of_the_fold_decides(finished: Summary) -> None:
    chosen = {
        str(n): json.loads(finished.run.fold(n).choices.read_text())["threshold"] for n in range(3)
    }
    for row in read_rows(finished.run.predictions):
        above = float(row["probability_mutated"]) > chosen[row["fold"]]
        assert row["decision"] == ("mutated" if above else "wild-type")


def test_evidence_and_pictures_are_there_for_every_case(finished: Summary) -> None:
    pictures = json.loads(finished.run.pictures.read_text())
    for row in read_rows(finished.run.cases):
        evidence = read_evidence(finished.run.evidence(row["case_id"]))
        assert len(evidence.weights) == int(row["instances"]) == int(row["images"])
        np.testing.assert_allclose(evidence.weights.sum(0), 1, atol=1e-5)
        shown = pictures[row["case_id"]]
        assert (finished.run.root / shown["thumbnail"]).is_file()
        assert len(shown["tiles"]) == min(4, int(row["images"]))


def test_the_report_stands_alone(finished: Summary) -> None:
    page = finished.run.report.read_text()
    assert "c07" in page
    assert "http://" not in page.replace("http://www.w3.org", "")


@pytest.mark.slow
def test_a_run_without_disturbance_gives_the_same_bytes_with_workers(
    finished: Summary, rerun: Callable[..., Summary]
) -> None:
    again = rerun(place=Place(workers=2))
    names = ["predictions.csv", "metrics.json", "splits.csv", "stability.csv"]
    names += ["folds/1/model.safetensors", "figures/training_curves.svg", "figures/roc.svg"]
    for name in names:
        ours, theirs = (s.run.root / name for s in (finished, again))
        assert ours.read_bytes() == theirs.read_bytes(), name


def test_the_same_command_again_changes_nothing(finished: Summary, cohort_file: Path) -> None:
    root = finished.run.root
    settings = Settings(out=root, place=Place(workers=0))
    run(quick(), cohort_file, settings)  # whatever other tests left there
    before = {path: path.stat().st_mtime_ns for path in root.rglob("*") if path.is_file()}
    told = run(quick(), cohort_file, settings)
    assert {path: path.stat().st_mtime_ns for path in before} == before  # times.json, too
    assert told.folds == "3 reused"
    assert "judge" not in told.seconds
    assert (told.epochs, told.judged, told.metrics) == (
        finished.epochs,
        finished.judged,
        finished.metrics,
    )


def test_another_recipe_is_not_mixed_into_the_folder(finished: Summary, cohort_file: Path) -> None:
    with pytest.raises(RunError, match="holds a run with another recipe"):
        run(
            quick("train.epochs=7"),
            cohort_file,
            Settings(out=finished.run.root, place=Place(workers=0)),
        )


def test_the_message_names_the_settings_that_differ(finished: Summary, cohort_file: Path) -> None:
    settings = Settings(out=finished.run.root, place=Place(workers=0))
    with pytest.raises(RunError, match=r"protocol\.seed 1 there, 2 here"):
        run(quick("protocol.seed=2"), cohort_file, settings)


def test_what_is_chosen_and_shown_may_change_and_nothing_is_learnt_again(
    finished: Summary, cohort_file: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    shutil.copytree(finished.run.root, folder)
    store = finished.run.root.parent / "features"
    place = Settings(out=folder, store=store, place=Place(workers=0))
    models = {n: RunFolder(folder).fold(n).model.stat().st_mtime_ns for n in range(3)}
    changed = ("title=Another", "evaluate.bootstrap=150")
    assert run(quick(*changed), cohort_file, place).folds == "3 reused"
    chosen = run(
        quick(*changed, "choose.threshold=half", "choose.calibration=none"), cohort_file, place
    )
    assert chosen.folds == "3 learnt before, chosen anew"
    assert json.loads(chosen.run.fold(1).choices.read_text())["threshold"] == 0.5
    assert {n: RunFolder(folder).fold(n).model.stat().st_mtime_ns for n in range(3)} == models
    fresh = Settings(out=tmp_path / "fresh", store=store, place=Place(workers=0))
    anew = run(quick("choose.threshold=half", "choose.calibration=none"), cohort_file, fresh)
    assert anew.folds == "3 learnt"
    assert anew.run.predictions.read_bytes() == chosen.run.predictions.read_bytes()
    back = run(quick(), cohort_file, place)
    assert back.run.predictions.read_bytes() == finished.run.predictions.read_bytes()
    evidence = next(iter((folder / "evidence").iterdir()))
    weighed = evidence.read_bytes()
    evidence.write_bytes(b"")
    assert "judge" in run(quick(), cohort_file, place).seconds  # it is not as it was
    assert evidence.read_bytes() == weighed
    other = Settings(out=tmp_path / "other", store=store, place=Place(workers=0))
    assert run(quick("protocol.seed=2", "train.epochs=1"), cohort_file, other).folds == "3 learnt"


def test_a_mistake_before_the_first_fold_can_be_mended(cohort_file: Path, tmp_path: Path) -> None:
    place = Settings(out=tmp_path / "run", place=Place(workers=0))
    with pytest.raises(WeightsError, match="needs its weights"):
        run(quick("encoder=resnet50"), cohort_file, place)
    assert run(quick("train.epochs=1"), cohort_file, place).cases_in == 24


def test_somebody_elses_folder_is_left_alone(cohort_file: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("precious")
    with pytest.raises(RunError, match="is not empty and no run"):
        run(quick(), cohort_file, Settings(out=tmp_path, place=Place(workers=0)))


def test_splits_can_be_given_to_another_run(
    finished: Summary, rerun: Callable[..., Summary]
) -> None:
    again = rerun("model.aggregator=mean", "protocol.seed=9", splits=finished.run.splits)
    assert again.run.splits.read_bytes() == finished.run.splits.read_bytes()
    assert json.loads(again.run.facts.read_text())["splits"]["protocol"] == "file"
    mine, theirs = (
        {row["case_id"]: row["fold"] for row in read_rows(s.run.predictions)}
        for s in (again, finished)
    )
    assert mine == theirs


def test_runs_on_the_same_folds_are_compared_case_by_case(
    finished: Summary, rerun: Callable[..., Summary]
) -> None:
    mean = rerun("model.aggregator=mean", "train.epochs=1", splits=finished.run.splits)
    told = compare_runs(finished.run.root, mean.run.root)
    ours, theirs = (s.metrics["pooled"]["brier"]["value"] for s in (finished, mean))
    assert told["brier"].value == pytest.approx(ours - theirs, abs=1e-6)
    assert told["brier"].low < told["brier"].value < told["brier"].high
    assert compare_runs(mean.run.root, finished.run.root)["brier"].value == pytest.approx(
        theirs - ours, abs=1e-6
    )


def test_runs_on_other_folds_are_not_compared(
    finished: Summary, rerun: Callable[..., Summary]
) -> None:
    other = rerun("protocol.seed=9", "train.epochs=1")
    with pytest.raises(RunError, match="in the same fold; run one of them again with --splits"):
        compare_runs(finished.run.root, other.run.root)


def test_three_classes_have_macro_metrics(cohort_file: Path, tmp_path: Path) -> None:
    rows = cohort_file.read_text().splitlines()
    changed = [rows[0]]
    for row in rows[1:]:
        cells = row.split(",")
        number = int(cells[0][1:])
        cells[0], cells[1] = f"c{number}", f"p{number}"
        cells[2] = str(cohort_file.parent / cells[2])
        cells[3] = ("a", "b", "c")[number % 3]
        changed.append(",".join(cells))
    path = tmp_path / "cohort.csv"
    path.write_text("\n".join(changed) + "\n")
    three = ("cohort.positive=[]", "cohort.negative=[]", "cohort.classes={a: [a], b: [b], c: [c]}")
    recipe = quick(*three, "model.head=multiclass", "train.epochs=2")
    summary = run(recipe, path, Settings(out=tmp_path / "three", place=Place(workers=0)))
    row = read_rows(summary.run.predictions)[0]
    assert sum(float(row[f"probability_{name}"]) for name in "abc") == pytest.approx(1)
    assert row["decision"] in {"a", "b", "c"}
    assert json.loads(summary.run.fold(0).choices.read_text())["threshold"] is None
    assert 0 <= summary.metrics["pooled"]["auroc"]["value"] <= 1


def test_holdout_and_given_splits(cohort_file: Path, tmp_path: Path) -> None:
    summary = run(
        quick("protocol.kind=holdout", "protocol.test=0.3", "train.epochs=2"),
        cohort_file,
        Settings(out=tmp_path / "holdout", place=Place(workers=0)),
    )
    assert len(summary.metrics["folds"]) == 1
    rows = cohort_file.read_text().splitlines()
    test = {row["patient_id"] for row in read_rows(summary.run.predictions)}
    given = [rows[0] + ",split"]
    for row in rows[1:]:
        cells = row.split(",")
        cells[2] = str(cohort_file.parent / cells[2])
        given.append(",".join([*cells, "test" if cells[1] in test else "train"]))
    path = tmp_path / "cohort.csv"
    path.write_text("\n".join(given) + "\n")
    recipe = quick("protocol.kind=given", "train.epochs=2")
    told = run(recipe, path, Settings(out=tmp_path / "given", place=Place(workers=0)))
    assert {row["patient_id"] for row in read_rows(told.run.predictions)} == test


def test_one_bad_image_costs_one_image_and_one_bad_case_one_case(tmp_path: Path) -> None:
    path = write_cohort(tmp_path)
    (tmp_path / "04-0.png").write_bytes(b"")
    (tmp_path / "05-0.png").unlink()
    (tmp_path / "06-1.png").write_bytes((tmp_path / "06-1.png").read_bytes()[:500])
    for shot in range(3):
        (tmp_path / f"07-{shot}.png").write_text("not an image")
    once, place = quick("train.epochs=1"), Place(workers=0)
    summary = run(once, path, Settings(out=tmp_path / "run", place=place))
    assert (summary.cases_in, summary.cases_out, len(summary.failures)) == (24, 1, 6)
    out = {(r["case_id"], r["costs"]) for r in read_rows(summary.run.exclusions)}
    assert out == {("c04", "image"), ("c05", "image"), ("c06", "image"), ("c07", "case")}
    reasons = {Path(p).name: reason for p, reason in summary.failures}
    assert "empty" in reasons["04-0.png"] or "0 bytes" in reasons["04-0.png"]
    assert all("\n" not in reason for reason in reasons.values())
    assert len(read_rows(summary.run.predictions)) == 23
    assert not summary.too_many_failed


def test_more_failures_than_tolerated_are_told(tmp_path: Path) -> None:
    path = write_cohort(tmp_path)
    for number in range(4, 9):
        for file in tmp_path.glob(f"{number:02}-*.png"):
            file.unlink()
    once, place = quick("train.epochs=1"), Place(workers=0)
    summary = run(once, path, Settings(out=tmp_path / "run", place=place))
    assert summary.too_many_failed
    assert summary.cases_out == 5


def test_the_same_image_on_two_sides_stops_the_run(tmp_path: Path) -> None:
    path = write_cohort(tmp_path)
    (tmp_path / "09-0.png").write_bytes((tmp_path / "15-1.png").read_bytes())
    # with as many folds, every two patients stand on different sides of some fold
    recipe = quick("protocol.folds=5")
    with pytest.raises(SplitError, match=r"09-0\.png") as caught:
        run(recipe, path, Settings(out=tmp_path / "run", place=Place(workers=0)))
    assert "15-1.png" in str(caught.value)


def test_a_run_that_cannot_write_its_report_is_not_finished(
    finished: Summary, cohort_file: Path, tmp_path: Path
) -> None:
    copy = RunFolder(shutil.copytree(finished.run.root, tmp_path / "copy"))
    copy.report.unlink()
    copy.report.mkdir()
    settings = Settings(out=copy.root, store=finished.run.root.parent / "features")
    with pytest.raises(IsADirectoryError, match=r"report\.html"):
        run(quick(), cohort_file, replace(settings, place=Place(workers=0)))
    assert not copy.facts.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="no such limit")
def test_a_finished_run_is_told_where_nothing_can_be_written(
    finished: Summary, cohort_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {path: path.read_bytes() for path in finished.run.root.rglob("*") if path.is_file()}
    place = {"store": tmp_path / "none", "place": Place(workers=0)}
    with nothing_written():
        again = run(quick(), cohort_file, Settings(out=finished.run.root, **place))
        with pytest.raises(OSError, match=r"run\.json"):
            run(quick("title=other"), cohort_file, Settings(out=finished.run.root, **place))
        with pytest.raises(OSError, match=r"run\.json"):
            run(quick(), cohort_file, Settings(out=tmp_path / "new", **place))
        assert write_report(finished.run.root) == finished.run.report
    assert again.metrics == json.loads(finished.run.metrics.read_text())
    assert (again.cases_in, again.cases_out, again.images_in) == (24, 0, finished.images_in)
    assert again.failures == ()
    assert f"{finished.run.facts}: file too large" in capsys.readouterr().err
    assert not (tmp_path / "none").exists()
    after = {path: path.read_bytes() for path in finished.run.root.rglob("*") if path.is_file()}
    assert after == before


@contextmanager
def nothing_written() -> Iterator[None]:
    """A disk that takes no byte, also from somebody whom rights do not bind."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

"""Answers about something else: cases unlike all that was learnt from, and cases that taught."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from toys.quick import tile
from wholecase.answer import Judgement
from wholecase.core.files import read_json
from wholecase.execution import Place
from wholecase.experiment import Summary, ask, question_of
from wholecase.report import write_report
from wholecase.runs import RunFolder, read_rows


def asked(finished: Summary, *images: Path, store: Path) -> list[Judgement]:
    question = question_of(finished.run.root, images)
    return list(ask(question, store=store, place=Place(workers=0)).judgements)


def drawn(folder: Path, count: int, *, change: float = 1.0) -> list[Path]:
    rng = np.random.default_rng(77)
    paths = [folder / f"new-{number}.png" for number in range(count)]
    for number, path in enumerate(paths):
        Image.fromarray((tile(rng, number % 2 == 1) * change).astype(np.uint8)).save(path)
    return paths


def test_cases_of_the_same_kind_are_rarely_marked_and_others_are(
    finished: Summary, tmp_path: Path
) -> None:
    rows = read_rows(finished.run.novelty)
    assert len(rows) == len(read_rows(finished.run.predictions))
    assert sum(int(row["unlike"]) for row in rows) <= 2
    # one tile each, where the cases of the run have two to four: a little farther out
    same = asked(finished, *drawn(tmp_path, 20), store=tmp_path / "store")
    assert sum(one.is_unlike for one in same) <= 4
    dark = asked(finished, *drawn(tmp_path, 4, change=0.5), store=tmp_path / "store")
    assert all(one.is_unlike for one in dark)
    assert all(one.novelty is not None and one.novelty.percentile == 1 for one in dark)
    assert not any(one.seen for one in (*same, *dark))


@pytest.mark.data
def test_real_tissue_is_unlike_drawn_tissue(
    finished: Summary, shared: Path, tmp_path: Path
) -> None:
    real = sorted((shared / "data" / "lc25000-lung" / "lung_n").iterdir())[:6]
    told = asked(finished, *real, store=tmp_path)
    assert len(told) == 6
    assert all(one.is_unlike for one in told)


def test_a_case_that_taught_is_known_by_file_by_picture_and_by_patient(
    finished: Summary, cohort_file: Path, tmp_path: Path
) -> None:
    source = cohort_file.parent / "07-0.png"
    copy, saved_anew, patient, new = (
        tmp_path / name for name in ("copy.png", "anew.bmp", "P07.png", "other.png")
    )
    shutil.copy(source, copy)
    Image.open(source).save(saved_anew)
    for path, grain in ((patient, True), (new, False)):
        Image.fromarray(tile(np.random.default_rng(8), grain)).save(path)
    told = asked(finished, copy, saved_anew, patient, new, store=tmp_path / "store")
    assert [one.seen for one in told] == ["file", "picture", "patient", ""]


def test_a_run_keeps_digests_and_no_names_of_files(finished: Summary, cohort_file: Path) -> None:
    rows = read_rows(finished.run.contents)
    assert {row["kind"] for row in rows} == {"file", "picture"}
    assert all(set(row["content"]) <= set("0123456789abcdef") for row in rows)
    text = finished.run.contents.read_text()
    assert ".png" not in text
    assert str(cohort_file.parent) not in text


def test_a_run_made_before_gets_its_summary_and_nothing_else_changes(
    finished: Summary, cohort_file: Path, tmp_path: Path
) -> None:
    from toys.quick import quick
    from wholecase.experiment import Settings, run

    root = tmp_path / "old"
    shutil.copytree(finished.run.root, root)
    for number in range(3):
        RunFolder(root).fold(number).familiar.unlink()
    place = Settings(out=root, store=finished.run.root.parent / "features", place=Place(workers=0))
    again = run(quick(), cohort_file, place)
    assert again.folds == "3 learnt before, chosen anew"
    assert again.run.novelty.read_bytes() == finished.run.novelty.read_bytes()
    assert again.run.predictions.read_bytes() == finished.run.predictions.read_bytes()


def test_the_page_says_of_a_case_that_it_is_unlike(finished: Summary, tmp_path: Path) -> None:
    root = tmp_path / "run"
    shutil.copytree(finished.run.root, root)
    folder = RunFolder(root)
    page = write_report(root).read_text()
    assert "farther out than" in page
    assert "unlike those that its model learnt from" not in page
    text = folder.novelty.read_text().replace(",0\n", ",1\n")
    folder.novelty.write_text(text)
    page = write_report(root).read_text()
    cases = read_json(folder.facts)["cohort"]["cases"]
    assert page.count("unlike those that its model learnt from") == cases
    assert f"{cases} of {cases} judged cases are unlike" in page

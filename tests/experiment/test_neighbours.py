"""Neighbours as evidence: kept in the run, shown on the page, told by `explain`."""

import re
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from wholecase.answer import Judgement, Neighbour
from wholecase.answer.neighbours import together
from wholecase.cli import main
from wholecase.cohort import Case
from wholecase.core.files import read_json
from wholecase.experiment.told_neighbours import neighbour_notes
from wholecase.report.case_rows import case_rows
from wholecase.report.read import read_run
from wholecase.runs import read_rows, write_rows

HALF = np.array([0.5, 0.5])
FEW = (
    "model.aggregator=mean",
    "model.head={name: neighbours, size: 8, most: 7, hard_from: 3}",
    "batches={name: classes, cases: 4}",
    "train.early_stop.on=auroc",
)


def test_those_that_most_judges_name_come_first() -> None:
    near = {n: Neighbour(n, "a", 0.1 * n) for n in range(1, 5)}
    joined = together([(near[1], near[3]), (near[3], near[4]), (replace(near[3], distance=0.6),)])
    assert [(one.code, one.judges) for one in joined] == [(3, 3), (1, 1), (4, 1)]
    assert joined[0].distance == pytest.approx(0.4)
    assert together([(), ()]) == ()


def test_cases_with_fewer_neighbours_than_others_of_their_fold_are_told() -> None:
    def judged(case: str, fold: int, count: int) -> Judgement:
        near = tuple(Neighbour(n, "a", 0.1) for n in range(count))
        return Judgement(Case(case, case, ()), ("a", "b"), fold, HALF, HALF, 0, neighbours=near)

    assert neighbour_notes([judged("x", 0, 3), judged("y", 0, 3), judged("z", 1, 1)]) == []
    (note,) = neighbour_notes([judged("x", 0, 3), judged("y", 0, 2)])
    assert "1 cases were decided by fewer neighbours" in note
    assert "y" in note


@pytest.mark.slow
def test_a_run_keeps_shows_and_tells_the_nearest_cases(
    rerun, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    summary = rerun(*FEW, baselines=True)
    folder = summary.run
    entry = summary.metrics["baselines"]["direct"]
    rows = read_rows(folder.direct.predictions)
    recalls = [
        np.mean([row["decision"] == name for row in rows if row["label"] == name])
        for name in ("wild-type", "mutated")
    ]
    assert len(rows) == 24
    assert entry["metrics"]["balanced_accuracy"]["value"] == pytest.approx(np.mean(recalls))
    gap = summary.metrics["pooled"]["auroc"]["value"] - entry["metrics"]["auroc"]["value"]
    assert entry["difference"]["auroc"]["value"] == pytest.approx(gap)
    assert "<td>Direct classification</td>" in folder.report.read_text()
    patients = {row["case_id"]: row["patient_id"] for row in read_rows(folder.cases)}
    sides = {(row["fold"], row["case_id"]): row["side"] for row in read_rows(folder.splits)}
    voted = defaultdict(list)
    for row in read_rows(folder.neighbours):
        assert patients[row["neighbour"]] != row["patient_id"]
        assert sides[row["fold"], row["neighbour"]] == "train"
        voted[row["case_id"], row["fold"]].append(float(row["distance"]))
    assert {case for case, _ in voted} == set(patients)
    for (_, fold), distances in voted.items():
        chosen = read_json(folder.fold(int(fold)).choices)["head"]["k"]
        assert chosen in (1, 3, 5, 7)
        assert len(distances) == chosen
        assert distances == sorted(distances)
    novelty = read_rows(folder.novelty)
    far = [row | {"unlike": "1"} if row["case_id"] == "c07" else row for row in novelty]
    write_rows(folder.novelty, list(far[0]), far)
    rows = case_rows(read_run(folder.root))
    page = folder.report.read_text()
    assert page.count('<ul class="near">') == len(rows)
    assert any(near.picture for row in rows for near in row.neighbours)
    with pytest.raises(SystemExit):
        main(["explain", str(folder.root), "--case", "c07", "--out", str(tmp_path / "out")])
    told = capsys.readouterr().out
    near = rows[[row.prediction.case for row in rows].index("c07")].neighbours
    assert "  the case is unlike all that its model learnt from" in told
    assert re.findall(r"  near (\S+): ", told) == [one.case for one in near]

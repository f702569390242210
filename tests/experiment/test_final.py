"""One model of all cases, by the medians of what the folds chose."""

import statistics
from pathlib import Path

import numpy as np
import pytest

from toys.quick import QUICK
from wholecase.answer import load_run
from wholecase.core.errors import RecipeError, RunError
from wholecase.core.files import read_json
from wholecase.execution import Place
from wholecase.experiment import Summary, ask, question_of
from wholecase.experiment.final import check_final
from wholecase.models.heads.nearest_cases import codes
from wholecase.recipes import read_recipe
from wholecase.runs import FINAL, read_rows
from wholecase.training import SCHEDULES, factors_over

NEIGHBOURS = (
    *("model.aggregator=mean", "model.head={name: neighbours, size: 8, most: 7}"),
    *("batches={name: classes, cases: 4}", "train.epochs=2", "protocol.folds=3"),
    *("evaluate.pictures=0", "evaluate.bootstrap=100", "train.optimizer.rate=1e-3"),
)


def test_all_cases_teach_it_for_the_median_of_epochs(
    rerun, finished: Summary, cohort_file: Path
) -> None:
    store = finished.run.root.parent / "features"
    folder = rerun(*NEIGHBOURS, store=store, final=True).run
    chosen = [read_json(folder.fold(number).choices) for number in range(3)]
    own = read_json(folder.fold(FINAL).choices)
    assert own["epoch"] == statistics.median(one["epoch"] for one in chosen)
    assert own["head"]["k"] == statistics.median(one["head"]["k"] for one in chosen)
    assert own["threshold"] == pytest.approx(np.median([one["threshold"] for one in chosen]))
    assert len(read_rows(folder.fold(FINAL).history)) == own["epoch"] + 1
    (member,) = load_run(folder.root, "cpu", final=True).members
    known = sorted(codes(row["case_id"] for row in read_rows(folder.cases)).tolist())
    assert sorted(member.model.head.memory_case.tolist()) == known
    assert folder.fold_numbers == [0, 1, 2], "it is no fold"
    before = folder.fold(FINAL).model.read_bytes()
    again = rerun(*NEIGHBOURS, store=store, final=True)
    assert again.run.fold(FINAL).model.read_bytes() == before
    question = question_of(folder.root, cohort=cohort_file)
    asked = ask(question, store=store, place=Place(workers=0), final=True)
    assert asked.notes[0].startswith("The final model answers")
    one = next(asked.judgements)
    assert len(one.neighbours) == own["head"]["k"]
    assert one.novelty is None


def test_a_run_without_one_says_how_to_make_it(finished: Summary) -> None:
    with pytest.raises(RunError, match=r"has no final model; repeat .* with --final"):
        load_run(finished.run.root, "cpu", final=True)


def test_rates_that_wait_for_inner_patients_are_refused() -> None:
    with pytest.raises(RecipeError, match=r"set train.schedule=constant or cosine"):
        check_final(read_recipe("egfr-clam", [*QUICK, "train.schedule=plateau"]))
    cosine = factors_over(SCHEDULES["cosine"](), 10, 4)
    expected = [(1 + np.cos(np.pi * epoch / 10)) / 2 for epoch in range(4)]
    assert cosine == pytest.approx(expected), "those of the whole course, not of a shorter one"

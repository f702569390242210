"""Members of different recipes judge one reading of each bag, alone and in a vote of runs."""

from pathlib import Path

import numpy as np
import pytest

from toys.reading import bags_read
from wholecase.answer import TrainedRun, Vote, judge, load_run
from wholecase.assemble import labels_of, plan_of
from wholecase.cohort import Cohort, read_cohort
from wholecase.execution import Place
from wholecase.experiment import Settings, Summary, run
from wholecase.extract import Extraction, extract
from wholecase.recipes import read_recipe

RECIPES = Path(__file__).parent / "recipes"
QUICK = ("protocol.folds=2", "evaluate.pictures=0", "evaluate.bootstrap=100")


@pytest.fixture(scope="module")
def runs(
    finished: Summary, cohort_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[TrainedRun, ...]:
    """Three recipes learnt through the one loop on the one store."""
    store, folder = finished.run.root.parent / "features", tmp_path_factory.mktemp("members")
    roots = [finished.run.root]
    for name in ("judge_mean", "judge_worst"):
        recipe = read_recipe(str(RECIPES / f"{name}.yaml"), QUICK)
        place = Settings(out=folder / name, store=store, place=Place(workers=0))
        roots.append(run(recipe, cohort_file, place).run.root)
    return tuple(load_run(root, "cpu") for root in roots)


@pytest.fixture(scope="module")
def asked(
    runs: tuple[TrainedRun, ...], finished: Summary, cohort_file: Path
) -> tuple[Cohort, Extraction]:
    cohort = read_cohort(cohort_file, labels_of(runs[0].recipe))
    plan = plan_of(runs[0].recipe, finished.run.root.parent / "features")
    return cohort, extract(cohort, plan, Place(workers=0))


def test_three_recipes_judge_over_one_reading(
    runs: tuple[TrainedRun, ...],
    asked: tuple[Cohort, Extraction],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cohort, extraction = asked
    read = bags_read(monkeypatch)
    votes = [one.vote for one in runs]
    cases = cohort.cases[:4]
    together = list(judge([*votes, Vote("all", tuple(votes), 0.5)], cases, extraction))
    assert read == [image.path.name for case in cases for image in case.images]
    for case, said in zip(cases, together, strict=True):
        *singles, vote = said
        assert {one.case.id for one in said} == {case.id}
        assert len({one.judge for one in said}) == 4
        rows = np.stack([one.probabilities for one in singles])
        np.testing.assert_allclose(vote.probabilities, rows.mean(0))
        assert vote.decision == int(rows.mean(0)[1] > 0.5)
        assert [other.judge for other in vote.others] == [one.judge for one in singles]
        assert vote.evidence is not None
        np.testing.assert_allclose(vote.evidence.weights.sum(0), 1, atol=1e-5)


def test_each_says_what_it_says_alone(
    runs: tuple[TrainedRun, ...], asked: tuple[Cohort, Extraction]
) -> None:
    cohort, extraction = asked
    members = [member for one in runs for member in one.members]
    together = list(judge(members, cohort.cases[:3], extraction))
    for index, member in enumerate(members):
        alone = judge([member], cohort.cases[:3], extraction)
        for (one,), many in zip(alone, together, strict=True):
            np.testing.assert_array_equal(one.raw, many[index].raw)
            np.testing.assert_array_equal(one.probabilities, many[index].probabilities)

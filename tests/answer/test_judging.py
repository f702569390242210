"""What an instance says is its weight times what it would say alone, against the mean."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from toys.reading import bags_read
from wholecase.answer import TrainedRun, Vote, judge, load_run, read_case
from wholecase.assemble import labels_of, plan_of
from wholecase.cohort import Cohort, read_cohort
from wholecase.execution import Place
from wholecase.experiment import Summary
from wholecase.extract import Extraction, extract
from wholecase.models import Batch


@pytest.fixture(scope="module")
def asked(finished: Summary, cohort_file: Path) -> tuple[TrainedRun, Cohort, Extraction]:
    trained = load_run(finished.run.root, "cpu")
    cohort = read_cohort(cohort_file, labels_of(trained.recipe))
    plan = plan_of(trained.recipe, finished.run.root.parent / "features")
    return trained, cohort, extract(cohort, plan, Place(workers=0))


def test_evidence_is_weight_times_logit_against_the_mean(
    asked: tuple[TrainedRun, Cohort, Extraction],
) -> None:
    trained, cohort, extraction = asked
    model = trained.members[0].model
    for (one,) in judge(trained.members[:1], cohort.cases[:5], extraction):
        values = read_case(one.case, extraction).example.values
        with torch.no_grad():
            alone = [
                model(Batch(v[None], torch.tensor([0, 1]), ("x",), ("x",))).logits[0]
                for v in values
            ]
            pooled = model(Batch(values, torch.tensor([0, len(values)]), ("x",), ("x",))).pooled
            mean = model.head.logits(pooled.instances.mean(0)[None, None])[0]
            naive = torch.stack(
                [w * (a - mean) for w, a in zip(pooled.weights, alone, strict=True)]
            )
        assert one.evidence is not None
        np.testing.assert_allclose(one.evidence.logits, naive.numpy(), atol=1e-5)


def test_a_case_is_judged_alike_in_any_company(
    asked: tuple[TrainedRun, Cohort, Extraction],
) -> None:
    trained, cohort, extraction = asked
    together = list(judge(trained.members, cohort.cases[:4], extraction))
    ((alone,),) = judge(trained.members[1:2], cohort.cases[2:3], extraction)
    np.testing.assert_array_equal(together[2][1].probabilities, alone.probabilities)
    batched = judge(trained.members, cohort.cases[:4], extraction, evidence="none")
    for one, many in zip(together, batched, strict=True):
        for a, b in zip(one, many, strict=True):
            np.testing.assert_allclose(a.probabilities, b.probabilities, atol=1e-6)
            assert a.case == b.case
            assert b.evidence is None


def test_a_bag_is_read_once_however_many_members_judge(
    asked: tuple[TrainedRun, Cohort, Extraction], monkeypatch: pytest.MonkeyPatch
) -> None:
    trained, cohort, extraction = asked
    read = bags_read(monkeypatch)
    members = [*trained.members, trained.vote, Vote("votes", (trained.vote, trained.members[0]))]
    cases = cohort.cases[:3]
    assert [len(said) for said in judge(members, cases, extraction)] == [5, 5, 5]
    assert read == [image.path.name for case in cases for image in case.images]


def test_the_fold_models_vote(
    asked: tuple[TrainedRun, Cohort, Extraction], finished: Summary
) -> None:
    trained, cohort, extraction = asked
    (said,) = judge([*trained.members, trained.vote], cohort.cases[:1], extraction)
    *singles, together = said
    rows = np.stack([one.probabilities for one in singles])
    np.testing.assert_allclose(together.probabilities, rows.mean(0))
    np.testing.assert_allclose([o.probabilities for o in together.others], rows)
    assert together.spread == pytest.approx(rows[:, together.decision].std())
    thresholds = [
        json.loads(finished.run.fold(n).choices.read_text())["threshold"] for n in range(3)
    ]
    assert together.decision == int(rows.mean(0)[1] > np.median(thresholds))
    assert together.evidence is not None
    np.testing.assert_allclose(together.evidence.weights.sum(), 1, atol=1e-5)
    np.testing.assert_allclose(
        together.evidence.weights, np.mean([o.evidence.weights for o in singles if o.evidence], 0)
    )


def test_a_vote_may_weigh_its_members(asked: tuple[TrainedRun, Cohort, Extraction]) -> None:
    trained, cohort, extraction = asked
    vote = Vote("weighed", trained.members, threshold=0.5, weights=(0.0, 3.0, 1.0))
    (said,) = judge([*trained.members, vote], cohort.cases[:1], extraction)
    _, second, third, together = said
    expected = (3 * second.probabilities + third.probabilities) / 4
    np.testing.assert_allclose(together.probabilities, expected)

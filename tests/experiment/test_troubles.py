"""Collapse, swings and missed positives are told where they are, and nowhere else."""

import numpy as np
import pytest

from wholecase.experiment import Summary
from wholecase.experiment.advice import _where, cures_for
from wholecase.experiment.troubles import (
    Trouble,
    by_luck,
    collapse,
    gap,
    missed,
    swings,
    troubles_of,
)
from wholecase.recipes import read_recipe
from wholecase.runs import FoldFolder, write_rows
from wholecase.training import DISTANCE, Epoch

GOOD = [0.7 * 0.85**n + 0.05 for n in range(30)]


def curve(losses, positive=0.8, negative=0.2) -> list[Epoch]:
    pairs = np.broadcast_arrays(losses, positive, negative)
    return [
        Epoch(n, loss, loss, None, 1.0, high, low)
        for n, (loss, high, low) in enumerate(zip(*(p.tolist() for p in pairs), strict=True))
    ]


def test_probabilities_that_fall_to_0_and_stay_there_are_a_collapse() -> None:
    positive = [0.5, 0.4, 0.3, 0.06, 0.03, 0.02]
    negative = [0.4, 0.3, 0.2, 0.05, 0.03, 0.02]
    assert collapse(curve([0.7] * 6, positive, negative), 0.5) == (3, 5)


@pytest.mark.parametrize(
    ("positive", "negative", "share"),
    [
        ([0.9, 0.9, 0.9, 0.9], [0.1, 0.05, 0.03, 0.02], 0.5),  # apart
        ([0.09, 0.09, 0.09, 0.09], [0.01, 0.01, 0.01, 0.01], 0.5),  # low, and apart
        ([0.5, 0.5, 0.5, 0.5], [0.5, 0.5, 0.5, 0.5], 0.5),  # knows nothing, yet is not low
        ([0.05, 0.05, 0.05, 0.05], [0.04, 0.04, 0.04, 0.04], 0.05),  # as low as positives are rare
        ([0.02, 0.02, 0.02, 0.6], [0.02, 0.02, 0.02, 0.3], 0.5),  # recovered
        ([0.5, 0.5, 0.02, 0.02], [0.5, 0.5, 0.02, 0.02], 0.5),  # two epochs alone
    ],
)
def test_other_courses_are_no_collapse(positive, negative, share) -> None:
    assert collapse(curve([0.6] * 4, positive, negative), share) is None


def test_a_loss_that_leaps_to_and_fro_swings() -> None:
    losses = [*GOOD[:10], *(0.3, 0.9) * 6]
    assert swings(curve(losses), 4) is not None
    first, last = swings(curve(losses), 4)
    assert 4 <= first <= 10
    assert last == 21
    settled = [*losses, *[0.2] * 8]
    assert swings(curve(settled), 28) is None, "what settled before the kept epoch is past"


def test_courses_of_health_do_not_swing() -> None:
    rng = np.random.default_rng(3)
    for _ in range(500):
        noisy = np.array(GOOD) + rng.normal(0, 0.04, 30)  # a dozen inner patients
        assert swings(curve(noisy), int(noisy.argmin())) is None
    assert swings(curve(GOOD), 29) is None
    assert swings(curve(GOOD[::-1]), 0) is None, "it gets worse, and steadily"
    spiked = [*GOOD[:14], 3.0, *GOOD[15:]]
    assert swings(curve(spiked), 29) is None
    tiny = [0.01 + 0.008 * (n % 2) for n in range(30)]
    assert swings(curve(tiny), 0) is None
    assert swings(curve([0.2, 0.9] * 3), 0) is None, "too short to tell"


def test_missing_all_of_three_positives_is_told_and_of_two_is_chance() -> None:
    assert missed([True, True, True, False], [False] * 4)
    assert not missed([True, True, False, False], [False] * 4)
    assert not missed([True, True, True, False], [False, False, True, False])


def test_an_embedding_that_draws_together_is_told_with_what_to_change(tmp_path) -> None:
    fold = FoldFolder(tmp_path)
    rows = [
        {"epoch": n, "train_loss": 0.5, "valid_loss": 0.7, DISTANCE: apart, "best": int(n == 0)}
        for n, apart in enumerate([0.4, 0.04, 0.02, 0.01])
    ]
    write_rows(fold.history, list(rows[0]), rows)
    write_rows(fold.inner, ["case_id", "patient_id"], [])
    (told,) = troubles_of(fold, 3, ("a", "b", "c"))
    assert (told.kind, told.epoch) == ("together", 3)
    assert told.where == "fold 3, epoch 3: mean distance 0.01 of 2, epoch 0 was kept"
    cures = cures_for("together", read_recipe("metric-ensemble"), 3)
    assert "lower train.optimizer.rate (0.001)" in cures
    assert "set model.head.margin=soft (now 0.5)" in cures
    assert any("raise model.head.hard_from (10)" in cure for cure in cures)


def both(taught, asked) -> list[Epoch]:
    return [Epoch(n, t, v) for n, (t, v) in enumerate(zip(taught, asked, strict=True))]


def test_cases_learnt_by_heart_are_a_gap_at_the_kept_epoch() -> None:
    taught = [0.7, 0.5, 0.2, 0.05, 0.02, 0.01]
    assert gap(both(taught, [0.7, 0.68, 0.66, 0.66, 0.67, 0.7]), 3) == (0.05, 0.66)
    focal = [0.05 * loss for loss in taught]
    found = gap(both(focal, [0.035, 0.034, 0.033, 0.033, 0.034, 0.035]), 3)
    assert found == pytest.approx((0.0025, 0.033)), "the unit of the loss does not matter"


@pytest.mark.parametrize(
    ("taught", "asked", "best"),
    [
        ([0.7, 0.5, 0.4, 0.3, 0.1], [0.7, 0.55, 0.45, 0.5, 0.6], 2),  # later, and was not kept
        ([0.7, 0.5, 0.3, 0.2, 0.1], [0.6, 0.4, 0.25, 0.15, 0.1], 4),  # inner ones are better
        ([0.7, 0.3, 0.02, 0.01, 0.005], [0.7, 0.4, 0.06, 0.05, 0.04], 4),  # both are small
        ([0.6, 0.5, 0.1, 0.5, 0.5], [0.7, 0.6, 0.6, 0.6, 0.6], 2),  # one epoch alone
        ([0.7, 0.01], [0.7, 0.7], 1),  # too short to tell
    ],
)
def test_other_courses_are_no_gap(taught, asked, best) -> None:
    assert gap(both(taught, asked), best) is None


def told_of(tmp_path, patients: int, score: float | None, *, parts: int = 0) -> list:
    """Troubles of a fold whose kept epochs have this score, of three classes."""
    folder = FoldFolder(tmp_path)
    inner = [
        {"patient_id": str(n), "label": "abc"[n % 3], "part": str(n % max(1, parts))}
        for n in range(patients)
    ]
    write_rows(
        folder.inner,
        ["patient_id", "label", *(["part"] if parts else [])],
        [{k: v for k, v in row.items() if parts or k != "part"} for row in inner],
    )
    names = ["first", *(f"first-{n}" for n in range(1, parts)), "refit"] if parts else [""]
    rows = [
        {
            "training": name,
            "epoch": n,
            "train_loss": 0.5,
            "valid_loss": None if name == "refit" else 0.5,
            "valid_balanced_accuracy": None if name == "refit" else (score if n == 1 else 0.8),
            "best": int(n == 1),
        }
        for name in names
        for n in range(3)
    ]
    write_rows(folder.history, list(rows[0]), rows)
    return list(troubles_of(folder, 2, ("a", "b", "c")))


def test_a_perfect_score_is_told_where_its_patients_are_few(tmp_path) -> None:
    (found,) = told_of(tmp_path, 14, 1.0)
    assert (found.kind, found.epoch) == ("perfect", 1)
    assert found.where == (
        "fold 2: balanced_accuracy 1 on 14; one time in twenty so many are all right at a rate "
        "of 0.81"
    )
    assert by_luck(14) ** 14 == pytest.approx(0.05)
    assert told_of(tmp_path, 14, 0.95) == []
    assert told_of(tmp_path, 40, 1.0) == [], "so many are believed"


def test_each_training_counts_the_patients_that_it_was_watched_on(tmp_path) -> None:
    found = told_of(tmp_path, 30, 1.0, parts=2)
    assert [one.where.split(";")[0] for one in found] == [
        "fold 2 (first): balanced_accuracy 1 on 15",
        "fold 2 (first-1): balanced_accuracy 1 on 15",
    ]


def test_advice_against_overfitting_names_settings_too() -> None:
    recipe = read_recipe("breakhis-mmnet")
    assert cures_for("gap", recipe, 3) == [
        "raise model.head.dropout (0.7)",
        "raise train.optimizer.decay (0.005)",
        "keep the epoch of the least inner loss: train.early_stop.on=loss (now balanced_accuracy)",
        "let the backbone sleep, by train.stages, or begin from weights",
    ]
    assert cures_for("gap", read_recipe("egfr-clam"), 3)[-1].startswith("mix cases")
    asked = cures_for("perfect", recipe, 3)
    assert asked[0] == (
        "choose on every training patient in turn: protocol.refit=true protocol.inner=3"
    )


def test_advice_names_the_settings_of_the_recipe() -> None:
    recipe = read_recipe("brain-mets-ct")
    cures = cures_for("swings", recipe, 7)
    woken = "backbone.network.layer4 1e-05, head 5e-05"
    assert cures[0] == f"lower the rates from epoch 5 in train.stages ({woken})"
    assert cures[1].startswith("let backbone.network.layer4 sleep longer")
    assert cures[2:] == ["lower train.clip_norm (1)", "set train.batchnorm=frozen (now active)"]
    assert cures_for("missed", recipe, 0) == [
        "raise batches.positive (2) against batches.negative (3)",
        "raise model.head.positive_weight (1)",
        "change positives less: train.augment.by_class.positive",
    ]
    collapsed = cures_for("collapse", recipe, 12, several=True)
    assert "the loss counts cases" in collapsed[-1]
    features = read_recipe("egfr-clam")
    assert cures_for("collapse", features, 0) == [
        "lower train.optimizer.rate (0.0001)",
        "set train.clip_norm=1.0",
        "draw both classes as often: batches.balance=class (now none)",
    ]
    assert cures_for("missed", features, 0)[-1] == "set model.head.class_weights=balanced"


def test_a_run_that_learns_has_no_such_warning(finished: Summary) -> None:
    classes = ("wild-type", "mutated")
    for number in range(3):
        found = troubles_of(finished.run.fold(number), number, classes)
        assert [one for one in found if one.kind != "perfect"] == []


def test_fold_epochs_and_figures_are_told(finished: Summary, tmp_path) -> None:
    folder = FoldFolder(tmp_path)
    choices = finished.run.fold(0).choices.read_bytes()
    folder.choices.write_bytes(choices)
    inner = [
        {"case_id": str(n), "patient_id": str(n), "label": label, "probability_mutated": 0.0}
        for n, label in enumerate(["mutated"] * 3 + ["wild-type"] * 3)
    ]
    write_rows(folder.inner, list(inner[0]), inner)
    rows = [
        {
            "epoch": n,
            "train_loss": 0.7,
            "valid_loss": (0.3, 1.1)[n % 2],
            "valid_p_positive": 0.03,
            "valid_p_negative": 0.02,
            "best": int(n == 1),
        }
        for n in range(9)
    ]
    write_rows(folder.history, list(rows[0]), rows)
    blind, fallen, swinging = troubles_of(folder, 4, ("wild-type", "mutated"))
    assert blind.where.startswith("3 inner positives of fold 4, threshold ")
    means = "mean 0.030 of positives, 0.020 of negatives"
    assert fallen.where == f"fold 4, epochs 0 to 8: {means}, epoch 1 was kept"
    assert swinging.where == "fold 4, epochs 0 to 8: between 0.30 and 1.10, epoch 1 was kept"


def test_folds_of_which_the_same_is_told_are_named_together():
    wheres = ("fold 0: auroc 1 on 6", "fold 1: auroc 1 on 7", "fold 2: auroc 1 on 6", "fold 3")
    told = _where([Trouble("perfect", where, 0) for where in wheres])
    assert told == "fold 0, fold 2: auroc 1 on 6; fold 1: auroc 1 on 7; fold 3"

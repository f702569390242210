"""Networks that learn from the pixels beside a run: on its folds, paired, and kept."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from wholecase.assemble import cut_of, labels_of, split_of
from wholecase.cli.check import _asked
from wholecase.cohort import Cohort, read_cohort
from wholecase.core.errors import RecipeError
from wholecase.execution import Place
from wholecase.experiment.baselines import against_baselines
from wholecase.experiment.outer import Bench
from wholecase.experiment.trained_baselines import check_rivals, rival_recipes, trained_baselines
from wholecase.extract import decode
from wholecase.recipes import Recipe, read_recipe
from wholecase.report.plain_models import _named
from wholecase.runs import RunFolder, read_rows

SMALL = "model.backbone.network={name: attended, network: {name: small_cnn, channels: [4, 8]}}"
CHANGES = (
    "model.backbone.scales=[40,100]",
    SMALL,
    "model.aggregator={name: cross_magnification, scales: [40, 100], inner: 8, heads: 2}",
    "model.head.hidden=[]",
    "cut.side_px=16",
    "protocol.kind=holdout",
    "protocol.test=0.4",
    "train.epochs=1",
    "train.augment={}",
    "views.sets=2",
    "evaluate={bootstrap: 100, baselines: {at_100: {scales: [100], aggregator: mean}, "
    "concatenation: {aggregator: {name: concatenated, scales: [40, 100]}}}}",
)


def bench_of(folder: Path, *more: str) -> tuple[Bench, Cohort]:
    """Twelve patients at two magnifications; each third lacks the higher one."""
    rng = np.random.default_rng(0)
    rows = ["case_id,patient_id,path,label,kind,magnification"]
    for number in range(12):
        label = ("benign", "malignant")[number % 2]
        for power in (40,) if number % 3 == 0 else (40, 100):
            name = f"{number}-{power}.png"
            pixels = rng.integers(80, 160, (16, 16, 3)) + 60 * (number % 2)
            Image.fromarray(pixels.astype(np.uint8)).save(folder / name)
            rows.append(f"c{number},p{number},{name},{label},still,{power}")
    (folder / "cohort.csv").write_text("\n".join(rows) + "\n")
    recipe, place = read_recipe("breakhis-mmnet", [*CHANGES, *more]), Place(workers=0)
    cohort = read_cohort(folder / "cohort.csv", labels_of(recipe))
    run = RunFolder(folder / "run")
    extraction = decode(cohort, cut_of(recipe), folder / "store", place)
    folds = split_of(recipe, cohort, None).folds
    return Bench(recipe, extraction, cohort.classes, run, folds, cohort.cases, place), cohort


def test_each_is_learnt_on_the_folds_judged_paired_and_reused(tmp_path: Path) -> None:
    bench, cohort = bench_of(tmp_path)
    said = trained_baselines(bench, cohort)
    assert list(said) == ["trained_at_100", "trained_concatenation"]
    tested = {case.id: case for case in bench.folds[0].test}
    for judged in said.values():
        assert {one.case.id: one.case for one in judged} == tested, "as the run has them"
    blind = {case.id for case in tested.values() if len(case.images) == 1}
    assert 0 < len(blind) < len(tested)
    taught = [c.target for c in bench.folds[0].train if len(c.images) == 2]
    shares = {one.case.id: one.probabilities for one in said["trained_at_100"]}
    for case in blind:
        np.testing.assert_allclose(shares[case][1], np.mean(taught))
    models = [bench.run.baseline(n).fold(0).model for n in ("at_100", "concatenation")]
    before = [model.stat().st_mtime_ns for model in models]
    entries, notes = against_baselines(bench, said["trained_concatenation"], cohort)
    assert [model.stat().st_mtime_ns for model in models] == before, "not learnt again"
    gap = entries["trained_concatenation"]["difference"]["auroc"]
    assert gap["value"] == 0
    own = entries["trained_at_100"]["metrics"]["auroc"]["value"]
    assert entries["trained_at_100"]["difference"]["auroc"]["value"] == pytest.approx(
        entries["trained_concatenation"]["metrics"]["auroc"]["value"] - own
    )
    assert "does not beat the network of evaluate.baselines.concatenation" in " ".join(notes)
    assert len(read_rows(bench.run.baseline("at_100").predictions)) == len(tested)
    json.dumps(entries)


def test_a_magnification_that_nobody_has_is_told(tmp_path: Path) -> None:
    more = "evaluate.baselines={at_400: {scales: [400], aggregator: mean}}"
    with pytest.raises(RecipeError, match=r"at_400 is shown magnification 400 alone"):
        trained_baselines(*bench_of(tmp_path, more))


def test_the_recipe_names_each_magnification_and_concatenation() -> None:
    recipe = read_recipe("breakhis-mmnet", [SMALL])
    check_rivals(recipe)
    rivals = rival_recipes(recipe)
    assert list(rivals) == ["at_40", "at_100", "at_200", "at_400", "concatenation"]
    for own in rivals.values():
        assert own.model.backbone == recipe.model.backbone
        assert (own.train, own.views, own.batches) == (recipe.train, recipe.views, recipe.batches)
    assert _named("trained_at_40") == "Network trained at 40 alone"
    _, cost, _ = _asked("breakhis-mmnet", [SMALL, "protocol.repeats=2"])
    assert cost == "models that a run trains: 10, and with --baselines 25 more"


@pytest.mark.parametrize(
    ("baseline", "told"),
    [
        ("{odd: {aggregator: no_such}}", r"evaluate\.baselines\.odd: .*no_such"),
        ("{odd: {}}", "a baseline needs `scales` or an `aggregator`"),
    ],
)
def test_one_that_cannot_be_is_told_before_anything_is_learnt(baseline: str, told: str) -> None:
    def read() -> Recipe:
        return read_recipe("breakhis-mmnet", [SMALL, f"evaluate.baselines={baseline}"])

    with pytest.raises(RecipeError, match=told):
        check_rivals(read())

"""The recipe brain-mets-ct on drawn series in Hounsfield units, in small, part after part."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image as Picture

from toys import InMemory
from toys.hounsfield import HounsfieldSeries
from wholecase.answer import examples_of
from wholecase.assemble import bags_of, batches_of, check_recipe, cut_of, model_of, schedule_of
from wholecase.cohort import Case, Cohort, Image
from wholecase.core.errors import RecipeError, RunError
from wholecase.core.kinds import CT
from wholecase.execution import Place
from wholecase.experiment import Settings, run
from wholecase.extract import Extraction, decode
from wholecase.models import CaseModel, predict
from wholecase.recipes import Recipe, read_recipe
from wholecase.sources import SOURCES
from wholecase.training import Example, Examples, fit, pack

SIDE = 32
SMALL = (f"cut.side_px={SIDE}", "model.backbone.network=resnet10t", "train.epochs=2")
TINY = (
    f"cut.side_px={SIDE}",
    "model.backbone={name: small_cnn, channels: [8, 16]}",
    "model.head={name: binary, hidden: [16], dropout: 0.0}",
    "train.stages=[]",
    "train.optimizer.rate=1e-2",
    "train.epochs=6",
)
"""Another network has other parts, so its stages go, too."""


def brain(seed: int, label: int) -> np.ndarray:
    """Slices of grey tissue in air; in positives one has a bright spot."""
    rng = np.random.default_rng(seed)
    values = np.full((int(rng.integers(2, 6)), SIDE, SIDE), -1000)
    values[:, 4:-4, 4:-4] = rng.normal(35, 4, (len(values), SIDE - 8, SIDE - 8))
    if label:
        x, y = rng.integers(6, SIDE - 12, 2)
        values[int(rng.integers(len(values))), y : y + 6, x : x + 6] += 40
    return values.astype(np.int16)


@pytest.fixture(scope="module")
def decoded(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Case], Extraction]:
    folder, cases = tmp_path_factory.mktemp("series"), []
    for number in range(20):
        path = folder / f"{number}.npy"
        np.save(path, brain(number, number % 2))
        image = Image(path, "ct", number + 2, mpp=700.0)
        cases.append(Case(f"c{number}", f"p{number}", (image,), target=number % 2))
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(SOURCES, "ct", HounsfieldSeries)
        cohort = Cohort(folder / "cohort.csv", tuple(cases), ())
        cut = cut_of(recipe(*SMALL))
        return cases, decode(cohort, cut, folder / "store", Place(workers=0))


@pytest.fixture
def examples(decoded: tuple[list[Case], Extraction]) -> Examples:
    return examples_of(*decoded, classes=2)


def recipe(*overrides: str) -> Recipe:
    return read_recipe("brain-mets-ct", overrides)


def fresh(read: Recipe) -> CaseModel:
    return model_of(read, CT.channels, 2, 1, counts=(5, 5), kind=CT)


def asked(model: CaseModel, cases: list[Example]) -> np.ndarray:
    return predict(model, [pack(cases)])


@pytest.mark.parametrize(
    "pooling", ["max", "mean", "noisy_or", "log_sum_exp", "{name: top_k, k: 2}"]
)
def test_a_patient_alone_or_in_company_and_in_any_order_is_the_same(
    examples: Examples, pooling: str
) -> None:
    model = fresh(recipe(*SMALL, f"model.pooling={pooling}"))
    cases = [examples[i] for i in range(3)]
    together = asked(model, cases)
    alone = np.concatenate([asked(model, [case]) for case in cases])
    np.testing.assert_allclose(together, alone, atol=1e-5)
    rng = np.random.default_rng(0)
    shuffled = [c.only(torch.from_numpy(rng.permutation(len(c.values)))) for c in cases]
    np.testing.assert_allclose(together, asked(model, shuffled), atol=1e-5)


def test_all_slices_of_a_step_meet_and_every_slice_is_judged(examples: Examples) -> None:
    read = recipe(*SMALL)
    steps = list(batches_of(read, examples, 1).epoch(0))
    assert len(steps) == 5  # ten positives, two a step
    for step in steps:
        assert step.targets["label"].sum(0).tolist() == [3, 2]
        sizes = {examples[i].case: len(examples[i].values) for i in range(len(examples))}
        assert step.starts.diff().tolist() == [sizes[case] for case in step.cases]
    model = fresh(read).eval()
    with torch.no_grad():
        answer = model(steps[0])
    assert answer.instance_logits is not None
    assert answer.instance_logits.shape == (len(steps[0].values), 1)
    for case, (begin, end) in enumerate(pairwise(steps[0].starts.tolist())):
        assert answer.logits[case] == answer.instance_logits[begin:end].max()


@pytest.mark.parametrize("batchnorm", ["active", "frozen"])
def test_the_stages_teach_what_they_name(examples: Examples, batchnorm: str) -> None:
    stages = "[{from: 0, rates: {head: 1e-3}}, {from: 1, rates: {%s: 1e-3, head: 1e-3}}]"
    layer4 = "backbone.network.layer4"
    read = recipe(
        *SMALL,
        f"train.stages={stages % layer4}",
        f"train.batchnorm={batchnorm}",
        "model.head.confidence=0.15",
    )
    model = fresh(read)
    states = [_state(model)]

    def keep(_epoch: object) -> None:
        states.append(_state(model))

    few = InMemory([examples[i] for i in range(5)])
    sides = batches_of(read, few, 1), batches_of(read, few, 2)
    fit(model, sides, schedule_of(read, CT), seed=1, on_epoch=keep)
    first, second = (_changed(a, b) for a, b in pairwise(states))
    assert {name.split(".")[0] for name in first} == {"head"}
    woken = {name for name in second if not name.startswith("head.")}
    assert woken
    assert all(name.startswith(f"{layer4}.") for name in woken)
    assert any("running_mean" in name for name in woken) == (batchnorm == "active")


def _state(model: CaseModel) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


def _changed(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> set[str]:
    return {name for name in a if not torch.equal(a[name], b[name])}


def test_a_small_network_learns_to_find_the_slice(examples: Examples) -> None:
    read = recipe(*TINY)
    check_recipe(read)
    model = fresh(read)
    sides = batches_of(read, examples, 1), batches_of(read, examples, 2)
    fit(model, sides, schedule_of(read, CT), seed=1)
    rows = predict(model, batches_of(read, examples, 1).judged())[:, 1]
    labels = np.array([i % 2 for i in range(20)], bool)
    assert rows[labels].min() > rows[~labels].max()


def test_images_of_another_kind_are_refused_with_the_cure(
    decoded: tuple[list[Case], Extraction], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(SOURCES, "ct", HounsfieldSeries)
    cohort = Cohort(tmp_path / "cohort.csv", tuple(decoded[0][:1]), ())
    with pytest.raises(RecipeError, match=r"for rgb pixels, .* hold ct .*; set model\.pixels=ct"):
        bags_of(recipe(*TINY, "model.pixels=rgb"), cohort, tmp_path / "store", Place(workers=0))
    assert not (tmp_path / "store").exists(), "refused before anything is decoded"
    with pytest.raises(RecipeError, match="no kind of pixels is called 'cta'"):
        check_recipe(recipe(*TINY, "model.pixels=cta"))


def test_a_lone_picture_among_series_costs_itself_wherever_it_stands(
    decoded: tuple[list[Case], Extraction], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(SOURCES, "ct", HounsfieldSeries)
    Picture.fromarray(np.zeros((8, 8, 3), np.uint8)).save(tmp_path / "a.png")
    lone = Case("lone", "lone", (Image(tmp_path / "a.png", "tile", 2),), target=0)
    cohort = Cohort(tmp_path / "cohort.csv", (lone, *decoded[0][:2]), ())
    done = bags_of(recipe(*TINY), cohort, tmp_path / "store", Place(workers=0))
    assert [failure.case for failure in done.failures] == ["lone"]
    assert (len(done.bags), done.kind) == (2, CT)


def test_a_run_of_which_no_series_can_be_read_says_so_in_a_sentence(tmp_path: Path) -> None:
    rows = ["case_id,patient_id,path,kind,label"]
    for number in range(8):
        (tmp_path / f"{number}.dcm").write_bytes(b"no series")
        rows.append(f"c{number},p{number},{number}.dcm,ct,{('none', 'metastasis')[number % 2]}")
    cohort_file = tmp_path / "cohort.csv"
    cohort_file.write_text("\n".join(rows) + "\n", encoding="utf-8")
    settings = Settings(out=tmp_path / "run", place=Place(workers=0))
    with pytest.raises(
        RunError, match=r"none of the 8 images can be used .*no DICOM images.*exclusions"
    ):
        run(recipe(*TINY, "protocol.folds=2"), cohort_file, settings)

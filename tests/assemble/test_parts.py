"""Every built-in recipe can be put together, and wrong options are named before any work."""

import pytest
import torch

from wholecase.assemble import (
    available_devices,
    check_input,
    cut_of,
    describe,
    labels_of,
    model_of,
    place_of,
    schedule_of,
)
from wholecase.assemble.case_models import pixels_of
from wholecase.core.errors import RecipeError
from wholecase.core.kinds import CT, GREY
from wholecase.execution import Place, cores
from wholecase.models import LIGHT, Batch, trainable
from wholecase.models.inputs import Window
from wholecase.recipes import builtin_recipes, read_recipe, recipe_text


@pytest.mark.parametrize("name", builtin_recipes())
def test_every_recipe_can_be_assembled_and_described(name: str) -> None:
    recipe = read_recipe(name)
    model = model_of(
        recipe, 16 if recipe.model.backbone is None else pixels_of(recipe).channels, 2, 1
    )
    assert trainable(model) > 0
    assert schedule_of(recipe, pixels_of(recipe)).epochs == recipe.train.epochs
    assert cut_of(recipe).settings
    assert len(labels_of(recipe).classes) >= 2
    small = read_recipe(name, ["cut.side_px=64"])  # layers are the same at any side
    told = "\n".join(describe(small))
    for needed in ("SETTINGS", "LAYERS", "TRAINABLE PARAMETERS", "train.optimizer.rate"):
        assert needed in told
    assert "Undefined" not in told


def test_described_parameters_are_those_of_the_model() -> None:
    recipe = read_recipe("egfr-clam")
    count = trainable(model_of(recipe, 1024, 2, 1))
    assert f"from epoch 0: {count:,}" in "\n".join(describe(recipe))
    assert count == 708_749


@pytest.mark.parametrize(
    "overrides",
    [
        ["model.aggregator.heads=1", "model.head={name: clam, hidden: [], output: softmax}"],
        [
            "model.aggregator.heads=1",
            "model.aggregator.branches=multi",
            "model.head={name: clam, hidden: [], output: softmax}",
        ],
        ["model.aggregator.heads=1", "model.head={name: binary, hidden: []}"],
        ["model.head={name: binary, hidden: [256], dropout: 0.25}"],
        ["model.aggregator=mean"],
        ["model.aggregator=max"],
        ["model.aggregator={name: mean, hidden: [32, 8]}"],
        ["model.aggregator={name: attention, size: tiny, hidden: [32, 8]}", "model.head=binary"],
        ["model.images=max"],
        ["model.images=mean", "model.decide=instance", "model.pooling=max"],
        ["model.head.class_weights=[1, 4]"],
        ["model.head.class_weights=balanced"],
    ],
    ids=" ".join,
)
def test_the_models_of_the_recipes_page_can_be_asked_for(overrides: list[str]) -> None:
    recipe = read_recipe("egfr-clam", overrides)
    model = model_of(recipe, 16, 2, 1, counts=(7, 3)).eval()
    starts = torch.tensor([0, 4, 5])
    batch = Batch(torch.randn(5, 16), starts, ("a", "b"), ("a", "b"), images=starts)
    rows = model.head.probabilities(model(batch))
    torch.testing.assert_close(rows.sum(1), torch.ones(2))
    told = "\n".join(describe(recipe, 16))
    assert f"model.images.name              {recipe.model.images.name}" in told
    assert ".counts" not in told


def test_weights_are_fixed_by_the_seed_and_global_state_is_left_alone() -> None:
    recipe = read_recipe("egfr-clam")
    before = torch.get_rng_state()
    a, b, c = (model_of(recipe, 16, 2, seed).state_dict() for seed in (1, 1, 2))
    assert torch.equal(before, torch.get_rng_state())
    name = "pool.embed.0.weight"
    assert torch.equal(a[name], b[name])
    assert not torch.equal(a[name], c[name])


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("model.aggregator.head=8", "aggregator 'gated_attention' has no option 'head'; did you"),
        ("model.aggregator.name=atention", "no aggregator is called 'atention'"),
        ("model.head.name=binry", "no head is called 'binry'; did you mean 'binary'"),
        ("model.aggregator.size=huge", "no size of attention is called 'huge'"),
        ("model.head.dropout=much", "head 'clam' cannot be built with .*dropout='much'"),
        ("model.images=meen", "no rule for several images is called 'meen'; did you mean 'mean'"),
        ("model.images.least=3", "images=together makes one bag and has no options"),
        ("model.head.class_weights=[1, 2, 3]", "class_weights are 2 positive numbers"),
        ("model.head.counts=[1, 2]", "head 'clam' has no option 'counts'"),
        ("model.backbone=resnet", "no backbone is called 'resnet'"),
        ("model.backbone=small_cnn", "kind 'rgb' have 3 channels, and these have 16"),
        ("model.input=unit", "learns from stored features; remove it"),
    ],
)
def test_wrong_parts_are_named(override: str, told: str) -> None:
    with pytest.raises(RecipeError, match=told):
        model_of(read_recipe("egfr-clam", [override]), 16, 2, 1)


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("model.input=windw", "no input is called 'windw'; did you mean 'window'"),
        ("model.input=window", "input=window takes a centre and a width, or `windows`"),
        ("model.input={name: window, centre: 40, width: wide}", "input 'window' cannot be built"),
        ("model.input={name: zscore, kind: ct}", "input 'zscore' has no option 'kind'"),
        ("model.input=imagenet", "pixels of the kind 'ct' are HU; use window or unit"),
    ],
)
def test_wrong_inputs_are_named(override: str, told: str) -> None:
    recipe = read_recipe("pcam-attention", [override])
    with pytest.raises(RecipeError, match=told):
        model_of(recipe, CT.channels, 2, 1, kind=CT)


def test_the_recipe_says_how_a_kind_becomes_network_input() -> None:
    ct = read_recipe("pcam-attention", ["model.input={name: window, centre: 40, width: 80}"])
    model = model_of(ct, CT.channels, 2, 1, kind=CT)
    assert model.input == Window(CT, centre=40, width=80)
    assert model.backbone.blocks[0][0].in_channels == 1
    grey = read_recipe("pcam-attention", ["model.input=imagenet"])
    assert model_of(grey, 1, 2, 1, kind=GREY).backbone.blocks[0][0].in_channels == 3
    told = "\n".join(describe(ct))
    assert "model.input.width              80" in told
    assert "of the one window, in the kind's unit (80 HU for brain)" in told


def test_a_recipe_that_names_no_input_is_written_as_before() -> None:
    recipe = read_recipe("pcam-attention")
    assert model_of(recipe, 3, 2, 1).input == LIGHT
    assert "input" not in recipe.model.model_dump(mode="json")
    assert "input" not in recipe_text(recipe)


def test_a_network_per_magnification_can_be_described() -> None:
    network = "{name: per_magnification, scales: [40, 100], network: small_cnn}"
    told = "\n".join(describe(read_recipe("pcam-attention", [f"model.backbone={network}"])))
    assert "model.backbone.shared          false" in told
    assert "(backbone 741,632, pool" in told


def test_devices() -> None:
    assert place_of("auto").device == available_devices()[0]
    assert place_of("cpu", 3) == Place("cpu", 3)
    assert place_of("cpu").workers == cores()
    with pytest.raises(RecipeError, match="no device is called 'gpu'"):
        place_of("gpu")
    missing = {"cuda", "mps"} - set(available_devices())
    for device in missing:
        with pytest.raises(RecipeError, match=f"this machine has no {device}"):
            place_of(device)


ALSO = (
    "cohort.targets={grade: {label: grade, classes: {low: [a], high: [b, c]}}}",
    "model.also={grade: {weight: 0.3, head: multiclass}}",
)


def test_a_further_head_leaves_the_weights_of_the_others_as_they_are() -> None:
    plain = model_of(read_recipe("egfr-clam"), 16, 2, 1).state_dict()
    both = model_of(read_recipe("egfr-clam", ALSO), 16, 2, 1).state_dict()
    assert all(torch.equal(tensor, both[name]) for name, tensor in plain.items())
    assert {name for name in both if name not in plain} == {
        "also.grade.judge.last.weight",
        "also.grade.judge.last.bias",
    }
    told = "\n".join(describe(read_recipe("egfr-clam", ALSO), 16))
    assert "model.also.grade.weight" in told
    assert "cohort.targets.grade.label" in told


@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        (ALSO[:1], r"no head learns cohort\.targets\.grade; add it to model\.also"),
        (ALSO[1:], r"model\.also\.grade learns nothing; add it to cohort\.targets"),
        (
            ["cohort.targets={label: {label: x, classes: {a: [a], b: [b]}}}"],
            "`label` is what the first head learns",
        ),
        (["cohort.targets={'a.b': {label: x, classes: {a: [a], b: [b]}}}"], "a.b"),
        (["cohort.targets={a: {label: x, classes: {a: [a]}}}"], "at least two classes"),
        ([*ALSO, "model.also.grade.weight=0"], "greater than 0"),
    ],
)
def test_targets_and_heads_belong_together(overrides: list[str], told: str) -> None:
    with pytest.raises(RecipeError, match=told):
        read_recipe("egfr-clam", overrides)


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("model.also.grade.head=multiclas", "no head is called 'multiclas'; did you mean"),
        ("model.also.grade.head=binary", None),
        (
            "model.also.grade.head={name: multiclass, class_weights: balanced}",
            r"also\.grade\.head: further targets are not counted.*list a number per class",
        ),
        ("model.aggregator.branches=multi", "one branch of attention, and the aggregator has 2"),
    ],
)
def test_wrong_further_heads_are_named(override: str, told: str | None) -> None:
    single = ["model.aggregator.heads=1", "model.head={name: clam, hidden: [], output: softmax}"]
    recipe = read_recipe("egfr-clam", [*single, *ALSO, override])
    if told is None:
        model_of(recipe, 16, 2, 1)
        return
    with pytest.raises(RecipeError, match=told):
        model_of(recipe, 16, 2, 1)


def test_a_further_target_cannot_be_called_as_a_module_calls_its_own() -> None:
    overrides = [change.replace("grade:", "type:") for change in ALSO]
    with pytest.raises(RecipeError, match="a further target cannot be called 'type'"):
        model_of(read_recipe("egfr-clam", overrides), 16, 2, 1)


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("train.schedule=cosin", "no schedule is called 'cosin'; did you mean 'cosine'"),
        ("train.schedule={name: cosine, flor: 0.1}", "no option 'flor'; did you mean 'floor'"),
        ("train.schedule={name: plateau, factor: 2.0}", "needs a factor between 0 and 1"),
        ("train.stages=[{from: 3, rates: {head: 1.0e-3}}]", "begins at epoch 3, and none says"),
        (
            "train.stages=[{from: 0, rates: {head: 1.0}}, {from: 0, rates: {pool: 1.0}}]",
            "two stages begin at epoch 0",
        ),
        ("train.augment={mixup: 0.2}", r"a step holds one; raise batches\.cases"),
        ("train.augment={mixup: 0.2, flips: true}", r"changes pixels \(flips\), and recipe"),
    ],
)
def test_wrong_schedules_are_named_before_any_work(override: str, told: str) -> None:
    with pytest.raises(RecipeError, match=told):
        schedule_of(read_recipe("egfr-clam", [override]))


def test_a_term_of_clinical_columns_learns_in_every_stage_at_its_own_rate() -> None:
    columns = "cohort.covariates={age: number}"
    for stage in schedule_of(read_recipe("brain-mets-ct", [columns, "train.augment={}"])).stages:
        assert stage.rates["covariates"] == 1e-2
        assert stage.rates["head"] == 5e-5
    own = "train.stages=[{from: 0, rates: {head: 1.0e-3, covariates: 1.0e-1}}]"
    (stage,) = schedule_of(read_recipe("egfr-clam", [columns, own])).stages
    assert stage.rates == {"head": 1e-3, "covariates": 1e-1}
    (stage,) = schedule_of(read_recipe("egfr-clam", [columns])).stages
    assert stage.rates == {"": 1e-4, "covariates": 1e-2}


@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        (["batches=patient"], "no batches is called 'patient'; did you mean 'patients'"),
        (["batches={name: patients, positives: 2}"], "no option 'positives'; did you mean"),
        (["batches={name: classes, cases: 0}"], "at least 2 of `classes` and 1 of `cases`"),
        (["views=drawn"], "views 'drawn' needs the option 'instances'"),
        (["views=per_scales"], "no views is called 'per_scales'; did you mean 'per_scale'"),
        (["views={name: per_scale, sets: 0}"], "at least 1 of `sets`"),
        (["views=per_scale", "batches.max_instances=3"], "both draw instances"),
    ],
)
def test_wrong_batches_and_views_are_named_before_any_work(overrides: list[str], told: str) -> None:
    with pytest.raises(RecipeError, match=told):
        check_input(read_recipe("egfr-clam", overrides))

"""metric-ensemble in small: two networks that learn side by side, and two frozen ones."""

from pathlib import Path

import pytest
import torch

from wholecase.assemble import check_recipe, model_of, schedule_of
from wholecase.core.errors import RecipeError, WeightsError
from wholecase.encoders import EncoderSpec
from wholecase.experiment.direct import direct_recipe
from wholecase.models import Batch, predict, remember
from wholecase.recipes import read_recipe
from wholecase.training import optimizer_for

EXAMPLE = Path(__file__).parents[2] / "examples" / "metric-ensemble-trained.yaml"
SMALL = (
    "model.backbone.members=[{name: timm, network: test_convnext, instances: 4}, "
    "{name: timm, network: test_vit, arguments: {dynamic_img_size: true}, instances: 4}]"
)


def pixels(count: int, side: int) -> Batch:
    generator = torch.Generator().manual_seed(0)
    names = tuple(str(i) for i in range(count))
    label = torch.eye(2)[torch.arange(count) % 2]
    values = torch.rand(count, 3, side, side, generator=generator)
    return Batch(values, torch.arange(count + 1), names, names, targets={"label": label})


def test_both_networks_and_the_adapter_learn_each_at_its_rate() -> None:
    recipe = read_recipe(str(EXAMPLE), [SMALL, "model.head.hidden=[16]", "model.head.size=8"])
    check_recipe(recipe)
    model, schedule = model_of(recipe, 3, 2, 1), schedule_of(recipe)
    optimizer = optimizer_for(model, schedule, 0)
    assert sorted({group["lr"] for group in optimizer.param_groups}) == [5e-6, 1e-3]
    before = {name: p.clone() for name, p in model.named_parameters()}
    model.train().turn(0)
    model.loss(pixels(8, 96)).backward()
    optimizer.step()
    for part in ("backbone.members.0", "backbone.members.1", "head.judge"):
        named = [name for name in before if name.startswith(part)]
        moved = [not torch.equal(before[n], model.get_parameter(n)) for n in named]
        assert sum(moved) > 0.9 * len(moved), part
    remember(model, [pixels(8, 96)])
    # position embeddings are interpolated: another side is another picture, not an error
    assert predict(model.eval(), [pixels(2, 128)]).shape == (2, 2)


def test_parts_of_a_step_give_the_gradient_of_the_whole() -> None:
    gradients = []
    for instances in (2, 8):
        small = SMALL.replace("instances: 4", f"instances: {instances}")
        recipe = read_recipe(str(EXAMPLE), [small, "model.head.hidden=[]", "model.head.size=8"])
        model = model_of(recipe, 3, 2, 1).train()
        model.loss(pixels(6, 64)).backward()
        gradients.append({name: p.grad for name, p in model.named_parameters()})
    for name, gradient in gradients[0].items():
        torch.testing.assert_close(gradient, gradients[1][name], atol=1e-5, rtol=1e-3)


def test_the_default_names_the_encoder_that_lacks_its_weights(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="convnext_large needs its weights"):
        check_recipe(read_recipe("metric-ensemble"))
    own = tmp_path / "own.yaml"
    own.write_text(
        "recipe: own\ncohort: {positive: [p], negative: [n]}\ncut: {name: whole}\n"
        "encoder: {name: paired, members: [colour, {name: resnet50, weights: here.pth}]}\n"
        "model: {aggregator: mean, head: neighbours}\n"
    )
    members = read_recipe(str(own)).encoder.options["members"]
    assert members[1]["weights"] == str(tmp_path / "here.pth")


def test_neighbours_decide_as_the_first_head_alone() -> None:
    target = "cohort.targets={side: {label: side, classes: {left: [l], right: [r]}}}"
    also = "model.also={side: {head: neighbours}}"
    with pytest.raises(RecipeError, match="remembers the cases of the first head alone"):
        model_of(read_recipe("metric-ensemble", [target, also]), 8, 2, 1)


def test_the_direct_model_has_the_same_adapter_and_stronger_changes_of_pixels() -> None:
    stored = read_recipe("metric-ensemble", ["model.head.dropout=0.3"])
    direct = direct_recipe(stored)
    assert direct.model.head.name == "multiclass"
    assert direct.model.head.options == {"hidden": [512, 128], "dropout": 0.3, "smoothing": 0.1}
    same = {"model": {"head"}}
    assert direct.model_dump(exclude=same) == stored.model_dump(exclude=same)
    learnt = [SMALL, "model.head.hidden=[]", "model.head.size=8", "train.augment.flips=horizontal"]
    recipe = read_recipe(str(EXAMPLE), learnt)
    direct = direct_recipe(recipe)
    check_recipe(direct)
    assert {"flips", "moved", "colour", "erasing"} < set(direct.train.augment)
    assert direct.train.augment["flips"] == "horizontal", "what the recipe says stays"
    model = model_of(direct, 3, 2, 1).train()
    model.loss(pixels(6, 64)).backward()
    assert model.get_parameter("backbone.members.0.network.stem.0.weight").grad is not None


@pytest.mark.parametrize(
    ("members", "message"),
    [
        (["colour"], "needs two members or more"),
        (["colour", 3], "each a name or .* not 3"),
        (["colour", "colur"], "did you mean 'colour'"),
    ],
)
def test_what_cannot_stand_side_by_side_is_refused(members: list[object], message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        EncoderSpec("paired", {"members": members}).check()

"""Recipes are read strictly, and mistakes are named with their cure."""

import pytest

from wholecase.assemble import describe
from wholecase.core.errors import RecipeError
from wholecase.recipes import builtin_recipes, read_recipe, recipe_text


@pytest.mark.parametrize("name", builtin_recipes())
def test_a_run_can_be_repeated_from_its_own_recipe(name: str, tmp_path) -> None:
    recipe = read_recipe(name, ["train.epochs=3"])
    path = tmp_path / "recipe.yaml"
    path.write_text(recipe_text(recipe))
    assert read_recipe(str(path)) == recipe
    assert recipe.recipe == name


def test_overrides_reach_sections_options_and_lists() -> None:
    overrides = [
        "train.optimizer.rate=1e-3",
        "cohort.positive=[a, b]",
        "model.head.hidden=[]",
        "batches.cases=4",
        "train.early_stop.on=auroc",
    ]
    recipe = read_recipe("egfr-clam", overrides)
    assert recipe.train.optimizer.rate == 1e-3
    assert recipe.cohort.positive == ("a", "b")
    assert recipe.model.head.options["hidden"] == []
    assert recipe.batches.options["cases"] == 4
    assert recipe.train.early_stop is not None
    assert recipe.train.early_stop.on == "auroc"


def test_another_name_drops_the_options_of_the_former() -> None:
    for override in ("model.aggregator.name=mean", "model.aggregator=mean"):
        aggregator = read_recipe("egfr-clam", [override]).model.aggregator
        assert aggregator is not None
        assert (aggregator.name, aggregator.options) == ("mean", {})
    same = read_recipe("egfr-clam", ["model.aggregator.name=gated_attention"]).model.aggregator
    assert same is not None
    assert same.options["heads"] == 8


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("train.epoch=3", r"unknown key 'train\.epoch'; did you mean 'epochs'"),
        ("modle.head=x", "unknown key 'modle'; did you mean 'model'"),
        ("train.optimizer.rat=1", r"'train\.optimizer\.rat'; did you mean 'rate'"),
        ("train.stages=[{rates: {head: 1}}]", r"'train\.stages\.0\.from' is missing"),
        ("protocol.kind=loo", r"protocol\.kind: .*'nested', 'holdout' or 'given' \(it is 'loo'\)"),
        ("protocol.folds=1", r"protocol\.folds: .*greater than or equal to 2"),
        ("train.epochs=many", r"train\.epochs: .*\(it is 'many'\)"),
        ("cohort.positive=[]", "either `positive` and `negative`, or `classes`"),
        ("train.epochs=[3", "is not YAML"),
        ("train.epochs", "an override reads `section.key=value`"),
        ("train.epochs.x=1", "holds a value, not a section"),
        ("model.decide=instance", "needs a `pooling`"),
    ],
)
def test_mistakes_are_one_sentence(override: str, told: str) -> None:
    with pytest.raises(RecipeError, match=told) as caught:
        read_recipe("egfr-clam", [override])
    assert "\n" not in str(caught.value)


def test_the_title_follows_the_labels_that_are_overridden() -> None:
    own = read_recipe("egfr-clam").title
    assert read_recipe("egfr-clam", ["train.epochs=3"]).title == own
    assert read_recipe("egfr-clam", ["cohort.positive=[mutated]"]).title == own
    other = ["cohort.positive=[tumor]", "cohort.negative=[normal]"]
    assert read_recipe("egfr-clam", other).title == "tumor against normal, by the recipe egfr-clam"
    kras = read_recipe("egfr-clam", ["cohort.label=KRAS"]).title
    assert kras == "mutated against wild-type by KRAS, by the recipe egfr-clam"
    assert read_recipe("egfr-clam", [*other, "title=Mine"]).title == "Mine"
    several = [
        "cohort.positive=[]",
        "cohort.negative=[]",
        "cohort.classes={a: [x], b: [y], c: [z]}",
    ]
    assert read_recipe("egfr-clam", several).title == "a / b / c, by the recipe egfr-clam"


def test_a_part_that_has_no_work_does_not_stand_in_the_recipe() -> None:
    recipe = read_recipe("egfr-clam", ["model.decide=instance", "model.pooling=max"])
    assert recipe.model.aggregator is None
    assert "gated_attention" not in recipe_text(recipe)
    lines = "\n".join(describe(recipe))
    assert "gated_attention" not in lines
    assert "model.pooling.name" in lines
    back = read_recipe("egfr-clam", ["model.pooling=max"])
    assert back.model.pooling is None
    assert back.model.aggregator is not None


def test_several_classes_instead_of_two() -> None:
    overrides = ["cohort.positive=[]", "cohort.negative=[]", "cohort.classes={a: [x], b: [y, z]}"]
    assert read_recipe("egfr-clam", overrides).cohort.groups == (("a", ("x",)), ("b", ("y", "z")))


def test_files_that_are_no_recipes(tmp_path) -> None:
    with pytest.raises(RecipeError, match="no recipe is called 'egfr-clan'; did you mean"):
        read_recipe("egfr-clan")
    with pytest.raises(RecipeError, match="no recipe file"):
        read_recipe("mine.yaml")
    path = tmp_path / "mine.yaml"
    path.write_text("- a list")
    with pytest.raises(RecipeError, match="must be a mapping"):
        read_recipe(str(path))
    path.write_text("a: [")
    with pytest.raises(RecipeError, match="is not YAML"):
        read_recipe(str(path))


def test_files_of_networks_inside_others_lie_beside_the_recipe(tmp_path, monkeypatch):
    text = builtin_recipes()["breakhis-mmnet"].replace("weights: null", "weights: net.pth")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "own.yaml").write_text(text)
    monkeypatch.chdir(tmp_path)

    def weights(*overrides):
        backbone = read_recipe("mine/own.yaml", overrides).model.backbone
        return backbone.options["network"]["network"]["weights"]

    assert weights() == str(tmp_path / "mine" / "net.pth")
    here = str(tmp_path / "here.pth")
    assert weights("model.backbone.network.network.weights=here.pth") == here
    inner = "{name: attended, network: {name: resnet_grey, weights: here.pth}}"
    assert weights(f"model.backbone.network={inner}") == here
    assert weights("model.backbone.network.network.weights=null") is None
    assert weights("model.backbone.network.network.weights=package:some") == "package:some"
    pair = "[{name: resnet_grey, weights: here.pth}, small_cnn]"
    paired = read_recipe("mine/own.yaml", [f"model.backbone={{name: paired, members: {pair}}}"])
    assert paired.model.backbone.options["members"][0]["weights"] == here

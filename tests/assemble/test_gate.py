"""Whatever is mistyped in a recipe is refused before any image is opened, in one sentence."""

import pytest

from wholecase.assemble import check_recipe, labels_of
from wholecase.cohort import read_cohort
from wholecase.core.errors import ManifestError, WholecaseError
from wholecase.recipes import builtin_recipes, read_recipe

LEARNS_PIXELS = "pcam-attention"


def refusal(override: str, name: str = "egfr-clam", *, weights: bool = False) -> str:
    with pytest.raises(WholecaseError) as caught:
        check_recipe(read_recipe(name, [override]), weights=weights)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("name", builtin_recipes())
def test_built_in_recipes_pass_but_for_their_weights(name):
    recipe = read_recipe(name)
    check_recipe(recipe, weights=False)
    if recipe.encoder is not None:
        with pytest.raises(WholecaseError, match=r"name a local file under encoder\.weights"):
            check_recipe(recipe)


@pytest.mark.parametrize(
    ("override", "setting", "may_be"),
    [
        ("encoder.batch=x", "batch='x'", "valid integer"),
        ("encoder.batch=0", "encoder.batch is 0", "at least one"),
        ("encoder.batch=true", "batch=True", "valid integer"),
        ("encoder.download=maybe", "download='maybe'", "valid boolean"),
        ("encoder.bach=4", "'bach'", "did you mean 'batch'"),
        ("encoder.name=resnet5O", "'resnet5O'", "did you mean 'resnet50'"),
        ("model.head.k_sample=2.5", "k_sample=2.5", "valid integer"),
        ("model.head.k_sample=0", "k_sample", "at least 1"),
        ("model.head.hidden=[0]", "hidden", "1 or more"),
        ("model.head.hidden=256", "hidden=256", "valid array"),
        ("model.head.hidden=[many]", "hidden=['many']", "valid integer"),
        ("model.head.dropout=1.0", "dropout", "less than 1"),
        ("model.head.subtyping=1", "subtyping=1", "valid boolean"),
        ("model.head.bag_weight=2.0", "bag_weight", "between 0 and 1"),
        ("model.head={name: binary, positive_weight: -1.0}", "positive_weight", "more than 0"),
        ("model.aggregator.heads=3", "3 heads", "choose 1, 2, 4"),
        ("model.aggregator.heads='8'", "heads='8'", "valid integer"),
        ("model.images.name=meen", "'meen'", "did you mean 'mean'"),
        ("batches.cases=0", "cases", "at least 1"),
        ("batches.cases=1.5", "cases=1.5", "valid integer"),
        ("batches.balance=clas", "'clas'", "did you mean 'class'"),
        ("batches.name=shufled", "'shufled'", "did you mean 'shuffled'"),
        ("train.early_stop.on=aucroc", "early_stop.on is called 'aucroc'", "did you mean 'auroc'"),
        ("train.early_stop.patience=-1", "early_stop.patience", "greater than or equal to 1"),
        ("train.optimizer.rate=fast", "optimizer.rate", "valid number"),
        ("train.optimizer.name=adma", "'adma'", "did you mean 'adam'"),
        ("train.optimizer.decay={hed: 0.1}", "decay names 'hed'", "did you mean 'head'"),
        ("train.stages=[{from: 0, rates: {haed: 1}}]", "'haed'", "did you mean 'head'"),
        ("train.stages=[{from: 5, freeze: [pool]}]", "train.stages.0.rates", "is missing"),
        ("train.augment={flips: true}", "train.augment", "model.backbone"),
        (
            "choose.threshold=f2",
            "choose.threshold is called 'f2'",
            "known: f1, half, smoothed_balanced, smoothed_f1, swept_f1, youden",
        ),
        ("choose.calibration=temprature", "'temprature'", "did you mean 'temperature'"),
        ("protocol.folds=1", "protocol.folds", "greater than or equal to 2"),
        ("protocol.validation=1.5", "protocol.validation", "less than 1"),
        ("cut.side_px=0", "cut.side_px is 0", "2 pixels or more"),
        ("cut.side_px=2.5", "side_px=2.5", "valid integer"),
        ("cut.spacing_um=-0.5", "cut.spacing_um is -0.5", "between 0.05 and 50"),
        ("cut.spacing_um=half", "spacing_um='half'", "valid number"),
        ("cut.tissue.least=most", "cut.tissue.least is 'most'", "between 0 and 1"),
        ("cut.tissue.hole_um2=big", "hole_um2='big'", "valid number"),
        ("cut.tissue={name: clasical}", "'clasical'", "did you mean 'classical'"),
        ("cohort.ignore=[mutated]", "'mutated' is listed twice", "one class or under ignore"),
    ],
)
def test_a_setting_that_cannot_be_is_named_with_what_it_may_be(override, setting, may_be):
    said = refusal(override)
    assert setting in said
    assert may_be in said


@pytest.mark.parametrize(
    ("override", "setting"),
    [
        ("model.backbone.channels=[0]", "channels of 1 or more"),
        ("model.backbone.channels=[a]", "channels=['a']"),
        ("model.aggregator.inner=0", "`inner` of 1 or more"),
        ("model.head.l2=-1.0", "l2 -1"),
        ("train.augment.brightness=2", "train.augment.brightness"),
        ("cut.side_px=big", "side_px='big'"),
        ("encoder=resnet50", "set encoder=null"),
    ],
)
def test_a_recipe_that_learns_from_pixels_is_tried_too(override, setting):
    assert setting in refusal(override, LEARNS_PIXELS)


def test_weights_are_sought_and_not_loaded(tmp_path):
    override = f"encoder.weights={tmp_path / 'none.pt'}"
    assert "there is no weight file" in refusal(override, weights=True)
    assert str(tmp_path / "none.pt") in refusal(
        "encoder.weights=" + str(tmp_path / "none.pt"), weights=True
    )
    (tmp_path / "none.pt").write_bytes(b"not loaded")
    check_recipe(read_recipe("egfr-clam", [override]))
    check_recipe(read_recipe("egfr-clam", ["encoder.download=true"]))
    check_recipe(read_recipe("egfr-clam", ["encoder=colour"]))
    check_recipe(read_recipe("egfr-clam", ["encoder=stored"]))


def test_the_folders_of_a_finding_are_known_to_its_recipe(tmp_path):
    rows = [f"c{i},p{i},{i}.png,EGFR_{('negative', 'positive')[i % 2]},tile" for i in range(8)]
    path = tmp_path / "cohort.csv"
    path.write_text("\n".join(["case_id,patient_id,path,label,kind", *rows]))
    cohort = read_cohort(path, labels_of(read_recipe("egfr-clam")))
    assert [case.target for case in cohort.cases] == [0, 1] * 4
    assert cohort.classes == ("wild-type", "mutated")
    assert "'EGFR_positive' as 'mutated'" in cohort.remarks[0].what
    path.write_text(path.read_text().replace("EGFR", "HER2"))
    with pytest.raises(ManifestError, match=r"cohort\.positive=\[HER2_positive\]"):
        read_cohort(path, labels_of(read_recipe("egfr-clam")))
    named = ["cohort.positive=[HER2_negative]", "cohort.negative=[HER2_positive]"]
    cohort = read_cohort(path, labels_of(read_recipe("egfr-clam", named)))
    assert [case.target for case in cohort.cases] == [1, 0] * 4


@pytest.mark.data
def test_every_mistyped_setting_of_the_collection_is_refused(shared, tmp_path):
    path = tmp_path / "cohort.csv"
    path.write_text(
        "case_id,patient_id,path,label,kind\na,p,x.png,mutated,tile\nb,q,y.png,wild-type,tile\n"
    )
    lines = (shared / "cases" / "settings.txt").read_text().splitlines()
    assert len(lines) > 10
    for line in lines:
        with pytest.raises(WholecaseError) as caught:
            begin(line, path)
        key = line.partition("=")[0].rpartition(".")[2]
        value = line.partition("=")[2].strip("[]")
        assert key in str(caught.value) or value in str(caught.value), line


def begin(override, cohort_file):
    """What a run does before it opens an image."""
    recipe = read_recipe("egfr-clam", ["encoder.download=true", override])
    check_recipe(recipe)
    read_cohort(cohort_file, labels_of(recipe))

"""Encoders side by side take what each has in the store: the same bytes, and no image opened."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import timm
import torch
from safetensors.torch import save_file

from wholecase.assemble import moved_weights
from wholecase.cohort import Case, Cohort, Image
from wholecase.core.errors import RecipeError
from wholecase.encoders import EncoderSpec
from wholecase.execution import Place
from wholecase.extract import Plan, extract
from wholecase.features import Store
from wholecase.instances import Grid
from wholecase.recipes import read_recipe

PLACE = Place(workers=0)


@pytest.fixture(scope="module")
def vit(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    path = tmp_path_factory.mktemp("weights") / "vit.safetensors"
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        save_file(timm.create_model("test_vit").state_dict(), path)
    return {"name": "test_vit", "weights": str(path)}


@pytest.fixture
def cohort(tmp_path: Path) -> Cohort:
    cases = []
    for number in range(2):
        coarse = np.random.default_rng(number).integers(40, 200, (12, 12, 3), np.uint8)
        path = tmp_path / f"{number}.png"
        cv2.imwrite(str(path), cv2.resize(coarse, (200, 130)))
        cases.append(Case(f"c{number}", f"p{number}", (Image(path, "still", 2, mpp=0.5),)))
    return Cohort(tmp_path / "cohort.csv", tuple(cases), ())


def extracted(cohort: Cohort, store: Path, encoder: EncoderSpec):
    return extract(cohort, Plan(Grid(64, 0.5), encoder, store), PLACE)


def test_what_members_have_is_joined_to_the_same_bytes(
    cohort: Cohort, vit: dict[str, str], tmp_path: Path
) -> None:
    both = EncoderSpec("paired", {"members": ["colour", vit]})
    anew = extracted(cohort, tmp_path / "anew", both)
    assert (anew.encoded, anew.reused) == (2, 0)
    store = tmp_path / "store"
    of_colour = extracted(cohort, store, EncoderSpec("colour"))
    (first, key), *_ = of_colour.bags.values()
    first.write_beside(key, ".tissue.jpg", b"a picture")
    only = Cohort(cohort.path, cohort.cases[:1], ())
    extracted(only, store, EncoderSpec("test_vit", {"weights": vit["weights"]}))
    joined = extracted(cohort, store, both)
    assert (joined.encoded, joined.reused) == (1, 1), "the second lacks one of the two"
    (both_store, _), *_ = joined.bags.values()
    for one, other in zip(anew.bags.values(), joined.bags.values(), strict=True):
        assert one[0].path(one[1]).read_bytes() == other[0].path(other[1]).read_bytes()
    assert both_store.folder.joinpath(f"{key}.tissue.jpg").read_bytes() == b"a picture"


def test_instances_that_lie_elsewhere_are_encoded_anew(
    cohort: Cohort, vit: dict[str, str], tmp_path: Path
) -> None:
    store = tmp_path / "store"
    of_vit = extracted(cohort, store, EncoderSpec("test_vit", {"weights": vit["weights"]}))
    of_colour = extracted(cohort, store, EncoderSpec("colour"))
    (own, key), *_ = of_colour.bags.values()
    bag = own.read(key)
    own.write(key, type(bag)(bag.values, bag.box_px + 1, bag.position_um, bag.scale, bag.facts))
    both = extracted(cohort, store, EncoderSpec("paired", {"members": ["colour", vit]}))
    assert (both.encoded, both.reused) == (1, 1)
    made, of = next(iter(both.bags.values())), next(iter(of_vit.bags.values()))
    np.testing.assert_array_equal(
        made[0].read(made[1]).values[:, bag.values.shape[1] :], of[0].read(of[1]).values
    )


def test_a_store_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    assert Store.there(tmp_path, {"width": 3}) is None
    assert not list(tmp_path.iterdir())
    made = Store(tmp_path, {"width": 3})
    found = Store.there(tmp_path, {"width": 3})
    assert found is not None
    assert found.folder == made.folder


def test_weights_that_moved_are_named_once_for_each_encoder(tmp_path: Path) -> None:
    here = [tmp_path / name for name in ("a.pth", "b.pth")]
    members = "[{name: resnet50, weights: old/a.pth}, colour, {name: test_vit, weights: old/b.pth}]"
    recipe = read_recipe("metric-ensemble", [f"encoder={{name: paired, members: {members}}}"])
    before = f"encoder={{name: paired, members: {members}}}"
    first, second, third = read_recipe(
        "metric-ensemble", [before, *moved_weights(recipe, here)]
    ).encoder.options["members"]
    assert first == {"name": "resnet50", "weights": str(here[0])}
    assert second == "colour"
    assert third == {"name": "test_vit", "weights": str(here[1])}
    with pytest.raises(RecipeError, match="has 2 files of weights, and --weights names 1"):
        moved_weights(recipe, here[:1])
    alone = read_recipe("metric-ensemble", ["encoder={name: resnet50, weights: old/a.pth}"])
    assert moved_weights(alone, here[:1]) == [f"encoder.weights={here[0]}"]
    assert moved_weights(alone, []) == []
    with pytest.raises(RecipeError, match="has 1 files of weights, and --weights names 2"):
        moved_weights(alone, here)

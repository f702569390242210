"""An engine is held against exact networks on a cohort's own instances before it encodes them."""

import json
import subprocess
import sys

import numpy as np
import pytest

from extract.conftest import SIDE, cohort_of
from toys.tiny_network import TINY, tiny_weights
from wholecase.core.errors import RecipeError, WeightsError
from wholecase.encoders import EncoderSpec
from wholecase.execution import Place
from wholecase.extract import Plan, extract, fidelity
from wholecase.features import survey
from wholecase.instances import Grid


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return tiny_weights(tmp_path_factory.mktemp("weights"))


def plan_in(folder, weights, **options):
    return Plan(Grid(SIDE, 0.5), EncoderSpec(TINY, {"weights": weights, **options}), folder)


@pytest.fixture
def cohort(tmp_path, drawn):
    images = [drawn(f"{i}.tif", seed=i, tiles=3).image for i in range(2)]
    return cohort_of(tmp_path, *images)


def bags(done, cohort):
    return [done.bag(case.images[0]).values for case in cohort.cases]


def test_it_is_measured_told_and_kept(tmp_path, weights, cohort, capsys):
    store = tmp_path / "store"
    exact = extract(cohort, plan_in(store, weights), Place(workers=0))
    assert exact.fidelity == ()
    assert not list(store.glob("*/engine.json"))
    capsys.readouterr()
    done = extract(cohort, plan_in(store, weights, engine="bf16"), Place(workers=0))
    (one,) = done.fidelity
    assert one.identity == done.identity == f"{exact.identity}+bf16"
    assert (one.instances, one.images) == (16, 2)
    # nine instances of each image: what was compared is no worse than all, and was computed alike
    off = [
        np.linalg.norm(a - b, axis=1) / np.linalg.norm(b, axis=1)
        for a, b in zip(bags(done, cohort), bags(exact, cohort), strict=True)
    ]
    assert 0 < one.difference <= one.largest <= np.concatenate(off).max() * (1 + 1e-4)
    assert 0.999 < one.least <= one.cosine < 1
    assert "differ from exact ones by" in capsys.readouterr().err
    (file,) = store.glob("*/engine.json")
    assert json.loads(file.read_text())["networks"][0]["identity"] == done.identity
    assert not [flaw for folder in survey(store) for flaw in folder.flaws]


def test_the_same_images_are_not_measured_again(tmp_path, weights, cohort):
    plan = plan_in(tmp_path / "store", weights, engine="bf16")
    first = extract(cohort, plan, Place(workers=0))
    (file,) = plan.store.glob("*/engine.json")
    told = json.loads(file.read_text())
    told["networks"][0]["difference"] = 0.125  # to be known again
    file.write_text(json.dumps(told))
    again = extract(cohort, plan, Place(workers=0))
    assert again.fidelity[0].difference == 0.125
    assert (again.encoded, again.reused) == (0, first.encoded)
    # other images are
    fewer = extract(cohort_of(tmp_path, cohort.cases[0].images[0]), plan, Place(workers=0))
    assert fewer.fidelity[0].difference != 0.125
    assert fewer.fidelity[0].images == 1


def test_features_too_far_from_exact_ones_stop_it(tmp_path, weights, cohort, monkeypatch):
    monkeypatch.setattr(fidelity, "LEAST_COSINE", 0.9999999)
    plan = plan_in(tmp_path / "store", weights, engine="bf16")
    with pytest.raises(RecipeError, match=r"\+bf16 turns the features .* use encoder.engine=exact"):
        extract(cohort, plan, Place(workers=0))
    assert not list(plan.store.glob("*/*.safetensors"))


def test_of_a_pair_the_one_that_is_not_exact_is_compared(tmp_path, weights, cohort):
    members = [{"name": TINY, "weights": weights, "engine": "bf16"}, "colour"]
    plan = Plan(Grid(SIDE, 0.5), EncoderSpec("paired", {"members": members}), tmp_path / "store")
    done = extract(cohort, plan, Place(workers=0))
    assert [one.identity.partition("@")[0] for one in done.fidelity] == [TINY]


def test_where_nothing_can_be_read_nothing_is_compared(tmp_path, weights, cohort):
    for case in cohort.cases:
        case.images[0].path.write_bytes(b"no picture")
    plan = plan_in(tmp_path / "store", weights, engine="bf16")
    done = extract(cohort, plan, Place(workers=0))
    assert done.fidelity == ()
    assert len(done.failures) == 2


@pytest.mark.slow
def test_with_workers_this_process_has_no_network_and_tells_the_same(tmp_path, weights, cohort):
    plan = plan_in(tmp_path / "alone", weights, engine="bf16")
    alone = extract(cohort, plan, Place(workers=0))
    plan = plan_in(tmp_path / "crew", weights, engine="bf16")
    crew = extract(cohort, plan, Place(workers=1))
    assert crew.fidelity == alone.fidelity
    assert (crew.identity, crew.width) == (alone.identity, alone.width)
    for one, other in zip(bags(crew, cohort), bags(alone, cohort), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("workers", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_faults_of_an_encoder_are_told_once_before_the_work(tmp_path, cohort, workers):
    plan = plan_in(tmp_path / "store", str(tmp_path / "nowhere.safetensors"))
    with pytest.raises(WeightsError, match="nowhere"):
        extract(cohort, plan, Place(workers=workers))


@pytest.mark.slow
def test_a_process_that_only_commands_does_not_load_torch(tmp_path, weights):
    code = f"""
import sys
from pathlib import Path
from wholecase.encoders import EncoderSpec
from wholecase.execution import Place
from wholecase.extract.introduced import introduced

if __name__ == "__main__":
    spec = EncoderSpec("{TINY}", {{"weights": "{weights}"}})
    told = introduced(spec, Place(workers=1), central=None)
    print(told.width, [name for name in ("torch", "timm") if name in sys.modules])
"""
    script = tmp_path / "commands.py"
    script.write_text(code)
    words = [sys.executable, str(script)]
    told = subprocess.run(words, capture_output=True, text=True, check=True)
    assert told.stdout == "96 []\n"


def test_of_a_few_instances_it_is_only_told(tmp_path, weights, cohort, monkeypatch):
    monkeypatch.setattr(fidelity, "LEAST_COSINE", 0.9999999)
    one = cohort_of(tmp_path, cohort.cases[0].images[0])
    done = extract(one, plan_in(tmp_path / "store", weights, engine="bf16"), Place(workers=0))
    assert done.fidelity[0].instances == 8
    assert done.fidelity[0].cosine < 0.9999999

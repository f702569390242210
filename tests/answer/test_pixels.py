"""A batch that is read in one go is the batch that is packed case by case."""

from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wholecase.answer import examples_of
from wholecase.cohort import Labels, read_cohort
from wholecase.execution import Place
from wholecase.extract import decode
from wholecase.instances import Whole
from wholecase.training import Examples, Shuffled, pack

KINDS = Labels(column="kind_of", classes=(("s", ("s",)), ("t", ("t",))))
LABELS = Labels(column="label", classes=(("a", ("a",)), ("b", ("b",))), further={"own": KINDS})
SIZES = (1, 3, 2, 1, 4)
"""Images per case."""


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> Examples:
    folder = tmp_path_factory.mktemp("pixels")
    rng = np.random.default_rng(0)
    with h5py.File(folder / "x.h5", "w") as file:
        file["x"] = rng.integers(0, 256, (sum(SIZES), 16, 16, 3)).astype(np.uint8)
    rows, at = ["case_id,patient_id,path,label,kind,magnification,kind_of"], 0
    for case, size in enumerate(SIZES):
        for _ in range(size):
            power = "40" if case == 1 else ""
            rows.append(
                f"c{case},p{case},x.h5#{at},{'ab'[case % 2]},tile,{power},{['s', ''][case % 2]}"
            )
            at += 1
    Path(folder / "cohort.csv").write_text("\n".join(rows) + "\n")
    cohort = read_cohort(folder / "cohort.csv", LABELS)
    extraction = decode(cohort, Whole(16), folder / "store", Place(workers=0))
    return examples_of(cohort.cases, extraction, classes=2)


@given(st.lists(st.integers(0, len(SIZES) - 1), min_size=1, max_size=6))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
def test_batch_equals_packed_examples(examples: Examples, which: list[int]) -> None:
    together, packed = examples.batch(which), pack([examples[i] for i in which])
    assert together.values.dtype == torch.uint8
    assert torch.equal(together.values, packed.values)
    assert torch.equal(together.starts, packed.starts)
    assert together.targets.keys() == packed.targets.keys() == {"label", "own"}
    for name, target in together.targets.items():
        torch.testing.assert_close(target, packed.targets[name], rtol=0, atol=0, equal_nan=True)
    assert together.images is not None
    assert packed.images is not None
    assert torch.equal(together.images, packed.images)
    assert together.scale is not None
    assert packed.scale is not None
    assert torch.equal(together.scale.nan_to_num(-1), packed.scale.nan_to_num(-1))
    assert (together.cases, together.patients) == (packed.cases, packed.patients)


def test_sizes_and_magnification_are_those_of_the_manifest(examples: Examples) -> None:
    assert tuple(examples.instances(i) for i in range(len(SIZES))) == SIZES
    scale = examples[1].scale
    assert scale is not None
    assert scale.tolist() == [40.0] * 3


def test_every_epoch_shows_every_instance_once(examples: Examples) -> None:
    batches = Shuffled(examples, 1, instances=5, cases=2)
    shown = sorted(case for batch in batches.epoch(0) for case in batch.cases)
    assert shown == [f"c{i}" for i in range(len(SIZES))]

"""Cohorts of feature files: what they agree on is kept, what is doubtful is told."""

import dataclasses
import json

import numpy as np
import pytest

from toys.feature_files import clam_h5, clam_pt, stamp, trident
from wholecase.assemble import plan_of
from wholecase.audit import check_cohort
from wholecase.cohort import read_cohort
from wholecase.core.errors import StoreError
from wholecase.execution import Place
from wholecase.extract import extract, table_lines
from wholecase.features import FeatureOrigin
from wholecase.recipes import read_recipe

RNG = np.random.default_rng(11)


@pytest.fixture
def cohort_of(tmp_path):
    """A cohort of these files, a patient each."""

    def build(*files):
        rows = [f"c{i},p{i},{file.name},features" for i, file in enumerate(files)]
        path = tmp_path / "cohort.csv"
        path.write_text("\n".join(["case_id,patient_id,path,kind", *rows]) + "\n")
        return read_cohort(path, None)

    return build


def drawn(n=12):
    return RNG.normal(size=(n, 8)).astype(np.float32)


def imported(cohort, store, *overrides):
    recipe = read_recipe("egfr-clam", ["encoder=stored", *overrides])
    return extract(cohort, plan_of(recipe, store), Place(workers=0))


def findings(cohort):
    return [(f.severity, f.problem, f.what) for f in check_cohort(cohort).findings if f.where]


def test_what_the_files_tell_is_kept_and_is_json(cohort_of, tmp_path):
    cohort = cohort_of(*(trident(tmp_path / f"{i}.h5", drawn()) for i in range(3)))
    for _ in range(2):  # the second time from the store
        done = imported(cohort, tmp_path / "store")
        assert done.origin is not None
        length = done.origin.length
        assert done.origin == FeatureOrigin("uni_v1", 8, 20.0, 0.5, 256.0, True, length)
        assert 2 < length < 4
        assert done.notes == ()
        told = json.loads(json.dumps(dataclasses.asdict(done.origin)))
        assert FeatureOrigin(**told) == done.origin
    named = imported(cohort, tmp_path / "store", "encoder={name: stored, identity: uni}")
    assert named.origin.encoder == "uni"


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (lambda p: trident(p, drawn(), power=10), r"tiles at 20x .*tiles at 10x"),
        (lambda p: trident(p, drawn(), encoder="conch"), r"encoder uni_v1.*encoder conch"),
        (lambda p: trident(p, drawn()[:, :7]), r"8 numbers per tile.*7 numbers per tile"),
        (lambda p: stamp(p, drawn(), extractor="uni_v1"), r"tiles at 20x .*tiles at 1.143 µm/px"),
        (
            lambda p: stamp(p, drawn(), extractor="uni_v1", tile_size_um=112.0),
            "tiles of 256 px.*tiles of 224 px",
        ),
    ],
)
def test_the_same_sentence_in_check_and_run(cohort_of, tmp_path, other, said):
    files = [trident(tmp_path / f"{i}.h5", drawn()) for i in range(2)]
    cohort = cohort_of(*files, other(tmp_path / "other.h5"))
    with pytest.raises(StoreError, match=f"feature files are mixed: .*{said}") as caught:
        imported(cohort, tmp_path / "store")
    mixed = [what for _, problem, what in findings(cohort) if problem == "mixed feature files"]
    assert mixed == [str(caught.value)]


@pytest.mark.parametrize("strange", [np.abs, lambda values: values * 6])
def test_what_looks_like_two_encoders_is_told(cohort_of, tmp_path, strange):
    files = [clam_h5(tmp_path / f"{i}.h5", drawn()) for i in range(2)]
    cohort = cohort_of(*files, clam_pt(tmp_path / "s.pt", strange(drawn())))
    done = imported(cohort, tmp_path / "store")
    (note,) = done.notes
    assert "look like two encoders" in note
    assert f"note: {note}" in list(table_lines(done))
    assert findings(cohort) == [("warning", "features like those of two encoders", note)]


def test_padding_is_left_out_and_told_now_and_later(cohort_of, tmp_path):
    padded = np.concatenate([drawn(10), np.zeros((20, 8), np.float32)])
    cohort = cohort_of(clam_h5(tmp_path / "0.h5", drawn()), clam_h5(tmp_path / "padded.h5", padded))
    for _ in range(2):
        done = imported(cohort, tmp_path / "store")
        assert done.notes == (
            "rows of zeros in feature files: padded.h5 (20 of 30 tiles, which are left out)",
        )
        assert done.instances(cohort.cases[1].images[0]) == 10
    ((severity, problem, what),) = findings(cohort)
    assert (severity, problem) == ("warning", "rows of zeros in feature files")
    assert "20 of 30 tiles" in what


def test_twins_are_found_by_their_numbers(cohort_of, tmp_path):
    values = drawn()
    files = [clam_h5(tmp_path / "0.h5", drawn()), clam_h5(tmp_path / "a.h5", values)]
    cohort = cohort_of(*files, clam_pt(tmp_path / "b.pt", values[::-1]))
    done = imported(cohort, tmp_path / "store")
    names = [done.digests[image.path] for case in cohort.cases for image in case.images]
    assert names[1] == names[2] != names[0]
    ((severity, problem, what),) = findings(cohort)
    assert (severity, problem) == ("error", "same feature bag under two patients")
    assert "a.h5" in what
    assert "b.pt" in what


def read_and_check(shared, name):
    cohort = read_cohort(shared / "cases" / name, None)
    return cohort, check_cohort(cohort)


@pytest.mark.data
def test_two_magnifications_of_the_field(shared, tmp_path):
    cohort, audit = read_and_check(shared, "two-magnifications/train.csv")
    said = "feature files are mixed: .*10x.*20x"
    with pytest.raises(StoreError, match=said) as caught:
        imported(cohort, tmp_path / "store")
    assert str(caught.value) in [finding.what for finding in audit.findings]
    pure, sound = read_and_check(shared, "two-magnifications/pure.csv")
    assert sound.findings == ()
    assert imported(pure, tmp_path / "store").origin.magnification == 20.0


@pytest.mark.data
def test_zero_features_of_the_field(shared, tmp_path):
    cohort, audit = read_and_check(shared, "zero-features/cohort.csv")
    done = imported(cohort, tmp_path / "store")
    reasons = {failure.path.stem: failure.reason for failure in done.failures}
    assert {name for name, why in reasons.items() if "zeros only" in why} == {
        *("s03", "s04", "s05", "s06")
    }
    assert {name for name, why in reasons.items() if "the same numbers" in why} == {"s07", "s08"}
    assert done.notes == (
        "rows of zeros in feature files: s09.h5 (20 of 30 tiles, which are left out)",
    )
    assert audit.losses.images == 6
    assert [f.problem for f in audit.findings if f.severity == "warning"] == [
        "rows of zeros in feature files"
    ]


@pytest.mark.data
def test_slide_vectors_of_the_field(shared, tmp_path):
    cohort, audit = read_and_check(shared, "slide-vectors/cohort.csv")
    with pytest.raises(StoreError, match="one vector of the encoder titan for the whole slide"):
        imported(cohort, tmp_path / "store")
    assert audit.losses.images == 24

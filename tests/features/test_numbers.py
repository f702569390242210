"""What the numbers of feature files show: no tiles, padding, twins."""

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from toys.feature_files import clam_h5, clam_patches, clam_pt, corners, stamp, trident
from wholecase.core.errors import SourceError
from wholecase.features import read_foreign

RNG = np.random.default_rng(5)
TILES = RNG.normal(size=(30, 16)).astype(np.float32)
WRITERS = {"TRIDENT": (trident, "h5"), "CLAM": (clam_h5, "h5"), "tensor": (clam_pt, "pt")}
WRITERS["STAMP"] = (stamp, "h5")


def padded(rows, *, at):
    zeros = np.zeros((12, 16), np.float32)
    parts = {"end": (rows, zeros), "start": (zeros, rows), "middle": (rows[:9], zeros, rows[9:])}
    return np.concatenate(parts[at])


@pytest.fixture(params=WRITERS)
def write(request, tmp_path):
    writer, suffix = WRITERS[request.param]
    return lambda rows, name="a": writer(tmp_path / f"{name}.{suffix}", np.asarray(rows))


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (np.zeros((30, 16)), "all 30 tiles hold zeros only"),
        (-np.zeros((30, 16)), "all 30 tiles hold zeros only"),
        (np.tile(TILES[:1], (30, 1)), "all 30 tiles hold the same numbers"),
        (np.tile(TILES[:1], (30, 1)) * (1 + 1e-8), "all 30 tiles hold the same numbers"),
        (np.full((30, 16), 0.25), "all 30 tiles hold the same numbers"),
        (padded(np.tile(TILES[:1], (30, 1)), at="end"), "all 30 tiles hold the same numbers"),
        (padded(TILES[:1], at="end"), "one vector for the whole slide"),
        (np.repeat(TILES[:, :1], 16, axis=1), "all 30 tiles hold one number over and over"),
        (padded(np.repeat(TILES[:, :1], 16, axis=1), at="start"), "all 30 tiles hold one number"),
    ],
)
def test_numbers_that_tell_nothing_of_tiles_are_out(write, rows, said):
    path = write(rows)
    with pytest.raises(SourceError, match=said) as caught:
        read_foreign(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("at", ["end", "start", "middle"])
def test_rows_of_zeros_are_left_out_with_their_places_and_told(write, at):
    bag = read_foreign(write(padded(TILES, at=at))).bag
    whole = read_foreign(write(padded(TILES, at=at) + 1, "b")).bag
    real = padded(TILES, at=at).any(1)
    assert len(bag) == 30
    for name in ("box_px", "position_um", "scale"):
        np.testing.assert_array_equal(getattr(bag, name), getattr(whole, name)[real])
    remarks = dict(read_foreign(write(padded(TILES, at=at))).numbers.remarks())
    assert remarks == {"rows of zeros in feature files": "12 of 42 tiles, which are left out"}


def test_one_row_over_and_over_is_told(write):
    rows = np.concatenate([TILES[:5], np.tile(TILES[6:7], (20, 1))])
    remarks = dict(read_foreign(write(rows)).numbers.remarks())
    assert remarks == {"repeated rows in feature files": "20 of 25 tiles hold the same numbers"}
    assert not dict(read_foreign(write(TILES, "b")).numbers.remarks())


def test_tiles_of_one_number_are_told(write):
    rows = np.concatenate([TILES[:20], np.repeat(TILES[20:, :1], 16, axis=1)])
    remarks = dict(read_foreign(write(rows)).numbers.remarks())
    said = "10 of 30 tiles hold one number over and over"
    assert remarks == {"tiles of one number in feature files": said}
    nearly = np.concatenate([rows[:20], rows[20:] + np.eye(16)[:10]])
    assert not dict(read_foreign(write(nearly, "b")).numbers.remarks())


def test_the_numbers_are_known_in_any_file_order_padding_and_precision(tmp_path):
    files = [
        trident(tmp_path / "a.h5", TILES),
        clam_h5(tmp_path / "b.h5", TILES[::-1]),
        clam_pt(tmp_path / "c.pt", padded(TILES, at="start")),
        stamp(tmp_path / "d.h5", TILES),  # in halves
    ]
    names = [read_foreign(path).numbers.digest for path in files]
    assert len(set(names)) == 1
    others = [TILES[:-1], TILES + 0.01, TILES[:, ::-1], np.concatenate([TILES, TILES])]
    for number, rows in enumerate(others):
        path = trident(tmp_path / f"o{number}.h5", rows)
        assert read_foreign(path).numbers.digest != names[0]


@given(st.integers(0, 2**32 - 1), st.floats(1e-12, 1e12))
def test_two_draws_are_never_twins(tmp_path_factory, seed, size):
    folder = tmp_path_factory.mktemp("drawn")
    rng = np.random.default_rng(seed)
    names = {
        read_foreign(clam_h5(folder / f"{i}.h5", rng.normal(size=(4, 5)) * size)).numbers.digest
        for i in range(2)
    }
    assert len(names) == 2


def h5(path, told=None, **sets):
    with h5py.File(path, "w") as file:
        for name, content in sets.items():
            file[name] = content
        file.attrs.update(told or {})
    return path


VECTOR = TILES[:1]


@pytest.mark.parametrize(
    "sets",
    [
        {"features": VECTOR[0]},
        {"features": VECTOR},
        {"features": VECTOR[None]},
        {"features": VECTOR, "coords": corners(9, 512)},
        {"features": VECTOR[0], "coords": corners(9, 512)},
        {"feats": VECTOR},
        {"feats": VECTOR[0], "coords": corners(9, 512.0)},
    ],
)
def test_one_vector_is_no_list_of_tiles(tmp_path, sets):
    with pytest.raises(SourceError, match=r"one vector .*for the whole slide"):
        read_foreign(h5(tmp_path / "s.h5", **sets))


@pytest.mark.parametrize("kind", ["slide", "patient"])
@pytest.mark.parametrize("rows", [1, 3])
def test_a_file_that_calls_itself_more_than_tiles_is_believed(tmp_path, kind, rows):
    told = {"encoder": "titan", "feat_type": kind, "stamp_version": "2.3.0"}
    path = h5(tmp_path / "s.h5", told, feats=TILES[:rows])
    with pytest.raises(SourceError, match="one vector of the encoder titan for the whole slide"):
        read_foreign(path)


def test_one_vector_in_a_tensor_file_needs_a_place(tmp_path):
    path = clam_pt(tmp_path / "s.pt", VECTOR)
    with pytest.raises(SourceError, match="one vector for the whole slide"):
        read_foreign(path)
    clam_patches(path, 1)
    read = read_foreign(path)
    assert len(read.bag) == 1
    assert dict(read.numbers.remarks()) == {
        "feature files of one tile": "one vector with one place"
    }

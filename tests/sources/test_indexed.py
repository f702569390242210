"""Pictures of one HDF5 file: as h5py reads them, whatever way they are kept."""

import gzip
import pickle
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from wholecase.core.errors import SourceError
from wholecase.sources import (
    IndexedImages,
    fingerprint,
    fingerprints_of,
    indexed_digests,
    members,
    open_source,
    split_index,
    thumbnail,
)

PICTURES = np.random.default_rng(1).integers(0, 256, (41, 6, 6, 3), dtype=np.uint8)
KEPT = {
    "in one piece": {},
    "a row each": {"chunks": (1, 6, 6, 3)},
    "rows together": {"chunks": (8, 6, 6, 3)},
    "packed": {"chunks": (4, 6, 6, 3), "compression": "gzip"},
    "shuffled": {"chunks": (4, 6, 6, 3), "shuffle": True},
    "across": {"chunks": (16, 3, 6, 1)},
    "growing": {"maxshape": (None, 6, 6, 3), "chunks": (8, 6, 6, 3)},
}
BY_POSITION = {"in one piece", "a row each", "rows together", "growing"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("hdf5")
    for name, how in KEPT.items():
        with h5py.File(folder / f"{name}.h5", "w") as file:
            file.create_dataset("x", data=PICTURES, **how)
    with h5py.File(folder / "behind a block.h5", "w", userblock_size=1024) as file:
        file["x"] = PICTURES
    return folder


@given(st.lists(st.integers(0, 40), max_size=30))
def test_rows_come_in_the_order_asked_however_they_are_kept(folder, rows):
    for name in (*KEPT, "behind a block"):
        with IndexedImages(folder / f"{name}.h5") as images:
            assert np.array_equal(images.read(np.array(rows, np.int64)), PICTURES[rows]), name


def test_what_lies_there_as_it_is_is_read_by_position(folder):
    direct = set()
    for path in folder.glob("*.h5"):
        with IndexedImages(path) as images:
            assert (len(images), images.side, images.size_px) == (41, 6, (6, 6))
            direct |= {path.stem} if images._places else set()
    assert direct == BY_POSITION


def claimed(path):
    with h5py.File(path, "w") as file:
        file.create_dataset("x", (10**9, 6, 6, 3), np.uint8, chunks=(1024, 6, 6, 3))


def partly_written(path):
    with h5py.File(path, "w") as file:
        data = file.create_dataset("x", PICTURES.shape, np.uint8, chunks=(8, 6, 6, 3), fillvalue=9)
        data[:8] = PICTURES[:8]


def never_written(path):
    with h5py.File(path, "w") as file:
        file.create_dataset("x", PICTURES.shape, np.uint8)


def joined_from_others(path):
    with h5py.File(path, "w") as file:
        layout = h5py.VirtualLayout(PICTURES.shape, np.uint8)
        layout[:] = h5py.VirtualSource(str(path.with_name("packed.h5")), "x", PICTURES.shape)
        file.create_virtual_dataset("x", layout)


def kept_outside(path):
    with h5py.File(path, "w") as file:
        file.create_dataset("x", data=PICTURES, external=[(str(path.with_suffix(".raw")), 0, 4428)])


def linked_to_another_file(path):
    with h5py.File(path, "w") as file:
        file["x"] = h5py.ExternalLink(str(path.with_name("packed.h5")), "/x")


def linked_in_a_circle(path):
    with h5py.File(path, "w") as file:
        file["x"], file["z"] = h5py.SoftLink("/z"), h5py.SoftLink("/x")


def a_group(path):
    with h5py.File(path, "w") as file:
        group = file.create_group("x")
        group["x"] = group


@pytest.mark.parametrize(
    ("lie", "said"),
    [
        (claimed, "has stored 0 pieces where 976563 belong"),
        (partly_written, "has stored 1 pieces where 6 belong"),
        (never_written, "claims 4428 bytes and 0 are stored"),
        (joined_from_others, "lie in other files, which are not opened"),
        (kept_outside, "lie in other files, which are not opened"),
        (linked_to_another_file, "links are not followed"),
        (linked_in_a_circle, "'x' is a link to /z"),
        (a_group, "has no data set 'x'"),
    ],
)
def test_what_is_not_in_the_file_is_never_read(folder, lie, said):
    path = folder / f"{lie.__name__} lie.hdf5"
    lie(path)
    with pytest.raises(SourceError, match=said) as caught:
        IndexedImages(path)
    assert str(caught.value).startswith(f"{path}: ")


def test_blocks_go_through_all(folder):
    for name in KEPT:
        with IndexedImages(folder / f"{name}.h5") as images:
            assert np.array_equal(np.concatenate(list(images.blocks())), PICTURES)


def test_a_copy_for_another_process_reads_the_same(folder):
    with (
        IndexedImages(folder / "packed.h5") as images,
        pickle.loads(pickle.dumps(images)) as copy,
    ):
        assert np.array_equal(copy.read(np.array([3, 1])), PICTURES[[3, 1]])


def test_a_closed_file_is_closed(folder):
    for name in ("in one piece", "packed"):
        with IndexedImages(folder / f"{name}.h5") as images:
            images.read(np.array([0]))
        with pytest.raises(ValueError, match="is closed"):
            images.read(np.array([0]))


def test_one_picture_is_an_image_like_others(folder, tmp_path):
    path = folder / "in one piece.h5#17"
    assert split_index(path) == (folder / "in one piece.h5", 17)
    assert members(path) == (folder / "in one piece.h5",)
    for kind in ("tile", "still"):
        with open_source(path, kind, 0.97) as source:
            assert source.path == path
            assert (source.levels[0].width_px, source.levels[0].height_px) == (6, 6)
            assert source.spacing is not None
            assert source.spacing.um == 0.97
            assert np.array_equal(source.read(0, 0, 6, 6), PICTURES[17])
            assert np.array_equal(source.read(-1, 2, 3, 2)[:, 1:], PICTURES[17, 2:4, :2])
            assert thumbnail(source, 3).pixels.shape == (3, 3, 3)
    Image.fromarray(PICTURES[17]).save(tmp_path / "x.h5#17.png")  # a name of its own
    with open_source(tmp_path / "x.h5#17.png", "tile") as source:
        assert np.array_equal(source.read(0, 0, 6, 6), PICTURES[17])


def test_a_fingerprint_knows_pixels_and_not_the_place(folder, tmp_path):
    twice = PICTURES[[4, 7, 4, 0]]
    twice[3] = 255
    with h5py.File(tmp_path / "twice.hdf5", "w") as file:
        file["x"] = twice
    here, there = tmp_path / "twice.hdf5", folder / "packed.h5"
    found = fingerprints_of(here, np.array([2, 1, 0, 3]))
    assert found[0] == found[2] == fingerprint(Path(f"{there}#4"))
    assert found[1] == fingerprint(Path(f"{here}#1")) == fingerprints_of(there, np.array([7]))[0]
    assert found[3] == "blank-ffffff-6x6"
    paths = [Path(f"{here}#{i}") for i in (3, 0, 9)] + [Path(f"{there}#4"), Path("x.png")]
    heard = []
    told = indexed_digests([*paths, Path(f"{tmp_path}/none.h5#0")], heard.append)
    assert told == {paths[0]: found[3], paths[1]: found[0], paths[3]: found[0]}
    assert sum(heard) == 3


def written(path: Path, **sets: np.ndarray) -> Path:
    with h5py.File(path, "w") as file:
        for name, values in sets.items():
            file[name] = values
    return path


@pytest.mark.parametrize(
    ("sets", "said"),
    [
        ({"y": PICTURES}, "no data set 'x' but y"),
        ({}, "no data set 'x' but nothing"),
        ({"x": PICTURES.astype(np.float32)}, "float32 of shape"),
        ({"x": PICTURES[..., 0]}, r"shape \(41, 6, 6\)"),
        ({"x": PICTURES[..., :2]}, r"shape \(41, 6, 6, 2\)"),
        ({"x": PICTURES[:0]}, r"shape \(0, 6, 6, 3\)"),
    ],
)
def test_files_of_something_else_are_refused(tmp_path, sets, said):
    path = written(tmp_path / "x.h5", **sets)
    with pytest.raises(SourceError, match=said) as caught:
        IndexedImages(path)
    assert str(caught.value).startswith(f"{path}: ")


def test_pictures_that_are_not_square_have_no_side(tmp_path):
    with IndexedImages(written(tmp_path / "x.h5", x=PICTURES[:, :4])) as images:
        assert images.size_px == (6, 4)
        with pytest.raises(SourceError, match="6 x 4 px and square"):
            assert images.side


def test_files_that_cannot_be_reached_are_told_apart(folder, tmp_path):
    whole = (folder / "packed.h5").read_bytes()
    (tmp_path / "there.h5.gz").write_bytes(gzip.compress(whole))
    (tmp_path / "cut.h5").write_bytes(whole[:3000])
    (tmp_path / "text.h5").write_text("no")
    for name, said in {
        "none.h5": "no such file; correct the path",
        "there.h5": "no such file; unpack there.h5.gz with `gunzip -k`",
        "there.h5.gz": "packed file cannot be reached; unpack it once",
        "cut.h5": "damaged or no HDF5 file",
        "text.h5": "damaged or no HDF5 file",
    }.items():
        with pytest.raises(SourceError, match=said):
            open_source(tmp_path / f"{name}#0", "tile")
    with pytest.raises(SourceError, match=r"no such picture; the file holds 0 to 40"):
        open_source(folder / "packed.h5#41", "tile")
    with pytest.raises(SourceError, match="is no slide; call it a tile"):
        open_source(folder / "packed.h5#4", "slide")


def test_a_file_that_is_cut_off_inside_a_row_is_damaged(folder, tmp_path):
    path = tmp_path / "x.h5"
    path.write_bytes((folder / "in one piece.h5").read_bytes())
    with IndexedImages(path) as images:
        with path.open("r+b") as file:
            file.truncate(3000)
        with pytest.raises(SourceError, match="damaged"):
            images.read(np.array([40]))

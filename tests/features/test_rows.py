"""Rows of bytes in one file: numpy's own answers, in flat memory."""

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wholecase.core.errors import StoreError
from wholecase.core.kinds import KINDS
from wholecase.core.picture_digests import picture_digests
from wholecase.features import Rows, RowWriter, write_rows_in_blocks

PICTURES = np.random.default_rng(1).integers(0, 256, (37, 5, 4, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("rows") / "pictures.npy"
    blocks = (PICTURES[start : start + 10] for start in range(0, 37, 10))
    return write_rows_in_blocks(path, PICTURES.shape, blocks)


def test_numpy_reads_what_was_written(path):
    assert np.array_equal(np.load(path), PICTURES)
    assert [file.name for file in path.parent.iterdir()] == ["pictures.npy"]


@given(st.lists(st.integers(0, 36), max_size=50))
def test_rows_come_in_the_order_asked(path, rows):
    with Rows(path) as file:
        assert (len(file), file.shape) == (37, (37, 5, 4, 3))
        assert np.array_equal(file.read(np.array(rows, np.int64)), PICTURES[rows])


def test_what_numpy_saves_is_read(tmp_path):
    for version in ((1, 0), (2, 0)):
        with (tmp_path / "x.npy").open("wb") as file:
            np.lib.format.write_array(file, PICTURES, version)
        with Rows(tmp_path / "x.npy") as rows:
            assert np.array_equal(rows.read(np.arange(37)), PICTURES)


def test_a_copy_for_another_process_reads_the_same(path):
    with Rows(path) as file, pickle.loads(pickle.dumps(file)) as copy:
        assert np.array_equal(copy.read(np.array([3, 1])), PICTURES[[3, 1]])


def test_rows_beyond_the_file_and_after_it_are_refused(path):
    file = Rows(path)
    for wrong in (-1, 37):
        with pytest.raises(IndexError, match="rows 0 to 36"):
            file.read(np.array([0, wrong]))
    file.close()
    with pytest.raises(ValueError, match="closed"):
        file.read(np.array([0]))


@pytest.mark.parametrize(
    ("array", "said"),
    [
        (PICTURES.astype(np.float32), "holds float32"),
        (np.asfortranarray(PICTURES), "not rows of pixels"),
        (np.uint8(3), "not rows of pixels"),
    ],
)
def test_other_arrays_are_refused(tmp_path, array, said):
    np.save(tmp_path / "x.npy", array)
    with pytest.raises(StoreError, match=said):
        Rows(tmp_path / "x.npy")


def test_damage_is_told(tmp_path, path):
    copy = tmp_path / "x.npy"
    with pytest.raises(StoreError, match="does not exist"):
        Rows(copy)
    copy.write_bytes(b"no array")
    with pytest.raises(StoreError, match="damaged"):
        Rows(copy)
    copy.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(StoreError, match="shorter than its head says"):
        Rows(copy)
    copy.write_bytes(path.read_bytes())
    with Rows(copy) as rows:
        copy.write_bytes(path.read_bytes()[:-1])
        with pytest.raises(StoreError, match="ends before"):
            rows.read(np.array([36]))


@pytest.mark.parametrize("blocks", [[PICTURES[:36]], [PICTURES, PICTURES[:1]], [PICTURES[:, :4]]])
def test_blocks_that_do_not_add_up_leave_nothing(tmp_path, blocks):
    with pytest.raises(StoreError, match=r"rows"):
        write_rows_in_blocks(tmp_path / "x.npy", PICTURES.shape, blocks)
    assert not list(tmp_path.iterdir())


@given(st.sampled_from(sorted(KINDS)), st.integers(0, 2**32 - 1), st.integers(1, 6))
def test_rows_of_every_kind_of_pixels_are_what_numpy_reads(tmp_path_factory, name, seed, count):
    kind, path = KINDS[name], tmp_path_factory.mktemp("rows") / "x.npy"
    bounds = np.iinfo(kind.dtype)
    shape = count + 2, 5, 4, kind.channels
    pixels = np.random.default_rng(seed).integers(
        bounds.min, bounds.max, shape, kind.dtype, endpoint=True
    )
    with RowWriter(path, kind.dtype) as writer:
        writer.write(pixels[:count])
        writer.write(pixels[:1])
        writer.rewind(count)
        writer.write(pixels[count:])
    assert np.array_equal(np.load(path), pixels)
    with Rows(path) as rows:
        assert rows.dtype == kind.dtype
        assert np.array_equal(rows.read(np.arange(count + 2)[::-1]), pixels[::-1])
    assert len(picture_digests(pixels)) == count + 2


def test_rows_of_another_type_do_not_join(tmp_path):
    with RowWriter(tmp_path / "x.npy", "int16") as writer:
        writer.write(np.zeros((2, 4, 4, 1), np.int16))
        with pytest.raises(StoreError, match=r"rows of uint16 .* cannot join rows of int16"):
            writer.write(np.zeros((2, 4, 4, 1), np.uint16))

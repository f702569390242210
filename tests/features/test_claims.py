"""Feature files in HDF5 that claim what they do not store, or point elsewhere."""

import resource

import h5py
import numpy as np
import pytest

from toys.feature_files import clam_h5, clam_patches, corners, trident
from wholecase.core.errors import SourceError, StoreError
from wholecase.features import Rows, glance_foreign, read_foreign
from wholecase.features.tensors import read_head

VALUES = np.random.default_rng(0).normal(size=(12, 6)).astype(np.float32)


def with_set(path, **options):
    with h5py.File(path, "w") as file:
        file.create_dataset("features", **options)
        file["coords"] = corners(12, 512)
    return path


def never_written(path):
    return with_set(path, shape=(12, 6), dtype="f4")


def never_written_in_pieces(path):
    return with_set(path, shape=(10**6, 1536), dtype="f4", chunks=(1000, 1536))


def packed_and_never_written(path):
    return with_set(path, shape=(10**6, 1536), dtype="f4", chunks=(1000, 1536), compression="gzip")


def a_huge_piece_with_little_in_it(path):
    with h5py.File(path, "w") as file:
        data = file.create_dataset(
            "features", (12, 6), "f4", chunks=(2**20, 200), maxshape=(None, None), compression=9
        )
        # as a writer would who packs twice; the piece unpacks to 800 MB
        data.id.write_direct_chunk((0, 0), b"x\x9c\x03\x00\x00\x00\x00\x01")
    return path


def half_written(path):
    with_set(path, shape=(12, 6), dtype="f4", chunks=(4, 6))
    with h5py.File(path, "r+") as file:
        file["features"][:4] = VALUES[:4]
    return path


def in_another_file(path):
    trident(path.with_name("other.h5"), VALUES)
    with h5py.File(path, "w") as file:
        file["features"] = h5py.ExternalLink("other.h5", "/features")
    return path


def in_a_raw_file(path):
    return with_set(path, data=VALUES, external=[(str(path.with_suffix(".raw")), 0, 288)])


def joined_from_others(path):
    trident(path.with_name("other.h5"), VALUES)
    layout = h5py.VirtualLayout((12, 6), "f4")
    layout[:] = h5py.VirtualSource(str(path.with_name("other.h5")), "features", (12, 6))
    with h5py.File(path, "w") as file:
        file.create_virtual_dataset("features", layout)
    return path


def in_a_circle(path):
    with h5py.File(path, "w") as file:
        file["features"], file["b"] = h5py.SoftLink("/b"), h5py.SoftLink("/features")
    return path


def places_in_a_circle(path):
    with h5py.File(clam_h5(path, VALUES), "r+") as file:
        del file["coords"]
        file["coords"] = h5py.SoftLink("/coords")
    return path


def a_group(path):
    with h5py.File(path, "w") as file:
        group = file.create_group("features")
        group["features"] = group
    return path


def words(path):
    return with_set(path, data=np.array([["a", "b"]] * 12, dtype=object), dtype=h5py.string_dtype())


def pairs(path):
    return with_set(path, data=np.zeros((12, 6), [("a", "f4"), ("b", "f4")]))


def complex_numbers(path):
    return with_set(path, data=VALUES.astype(np.complex64))


def no_space(path):
    return with_set(path, data=h5py.Empty("f4"))


LIES = [
    (never_written, "claims 288 bytes and 0 are stored"),
    (never_written_in_pieces, "has stored 0 pieces where 1000 belong"),
    (packed_and_never_written, "has stored 0 pieces where 1000 belong"),
    (a_huge_piece_with_little_in_it, "claims 838860800 bytes and 8 are stored"),
    (half_written, "has stored 1 pieces where 3 belong"),
    (in_another_file, "'features' is a link to other.h5:/features, and links are not followed"),
    (in_a_raw_file, "lie in other files, which are not opened"),
    (joined_from_others, "lie in other files, which are not opened"),
    (in_a_circle, "'features' is a link to /b"),
    (places_in_a_circle, "'coords' is a link to /coords"),
    (a_group, "has no data set 'features'"),
    (words, "features of type object are no numbers"),
    (pairs, "are no numbers"),
    (complex_numbers, "features of type complex64 are no numbers"),
    (no_space, "'/features' is empty"),
]


@pytest.mark.parametrize(("lie", "said"), LIES)
def test_a_lie_is_a_sentence_and_costs_no_memory(tmp_path, lie, said):
    path = lie(tmp_path / "s.h5")
    began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(SourceError, match=said) as caught:
        read_foreign(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - began < 200_000  # kB


@pytest.mark.parametrize("lie", [lie for lie, said in LIES if "no numbers" not in said])
def test_a_glance_sees_the_lie_as_well(tmp_path, lie):
    with pytest.raises(SourceError):
        glance_foreign(lie(tmp_path / "s.h5"))


def test_the_patch_file_beside_may_lie_as_well(tmp_path):
    path = clam_h5(tmp_path / "s.h5", VALUES)
    patches = clam_patches(path, 12)
    with h5py.File(patches, "r+") as file:
        del file["coords"]
        file.create_dataset("coords", (10**9, 2), "i8", chunks=(10**6, 2))
    with pytest.raises(SourceError, match="has stored 0 pieces where 1000 belong") as caught:
        read_foreign(path)
    assert str(patches) in str(caught.value)


@pytest.mark.parametrize("packing", [{}, {"compression": "gzip"}, {"compression": "lzf"}])
def test_what_is_stored_is_read_however_it_is_packed(tmp_path, packing):
    path = tmp_path / "s.h5"
    with h5py.File(path, "w") as file:
        chunks = {"chunks": (5, 6)} if packing else {}
        file.create_dataset("features", data=VALUES, **chunks, **packing)
    np.testing.assert_array_equal(read_foreign(path).bag.values, VALUES)


@pytest.mark.parametrize(
    "attributes",
    [
        {"patch_size_level0": "many", "patch_size": np.nan, "level0_magnification": b"\xff"},
        {"patch_size_level0": h5py.Empty("f4"), "patch_size": -1, "level0_magnification": np.inf},
        {"patch_size_level0": np.zeros(2000), "patch_size": [], "level0_magnification": 0},
    ],
)
def test_attributes_that_are_no_numbers_are_not_told(tmp_path, attributes):
    path = trident(tmp_path / "s.h5", VALUES)
    with h5py.File(path, "r+") as file:
        file["coords"].attrs.update(attributes)
    read = read_foreign(path)
    assert (read.origin.spacing_um, read.origin.patch_px) == (None, None)
    assert np.isnan(read.bag.position_um).all()


def test_places_that_are_no_numbers_are_no_places(tmp_path):
    path = clam_h5(tmp_path / "s.h5", VALUES)
    with h5py.File(path, "r+") as file:
        del file["coords"]
        file["coords"] = np.full((12, 2), np.nan)
    assert (read_foreign(path).bag.box_px == 0).all()


HEADS = {
    "elsewhere": b'{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}}',
    "over one another": b'{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},'
    b'"b":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}',
    "larger than stored": b'{"a":{"dtype":"F32","shape":[4000000000],"data_offsets":[0,16]}}',
    "negative": b'{"a":{"dtype":"F32","shape":[-2,-2],"data_offsets":[0,16]}}',
    "of half a number": b'{"a":{"dtype":"F32","shape":[4.0],"data_offsets":[0,16]}}',
    "of an unknown kind": b'{"a":{"dtype":"F99","shape":[4],"data_offsets":[0,16]}}',
    "too deep": b"[" * 100_000,
    "no object": b"[]",
}


@pytest.mark.parametrize("head", HEADS)
def test_a_bags_head_is_held_to_what_is_stored(tmp_path, head):
    path, text = tmp_path / "x.safetensors", HEADS[head]
    path.write_bytes(len(text).to_bytes(8, "little") + text + bytes(16))
    with pytest.raises(StoreError, match="cannot be read") as caught:
        read_head(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    "shape", ["(4294967296, 4294967296)", "(-1, 3)", "(1000000, 3)", "((3", "3"]
)
def test_the_head_of_rows_is_held_to_what_is_stored(tmp_path, shape):
    head = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}".encode()
    path = tmp_path / "x.npy"
    path.write_bytes(b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head + bytes(30))
    with pytest.raises(StoreError, match=r"x\.npy"):
        Rows(path)

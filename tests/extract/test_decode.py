"""Pixels that are decoded once: what is stored is what the images hold, whatever happens."""

import pickle
from pathlib import Path

import h5py
import numpy as np
import pytest
from PIL import Image

from wholecase.cohort import Labels, read_cohort
from wholecase.core.errors import StoreError
from wholecase.execution import Place
from wholecase.extract import Extraction, decode
from wholecase.features import PixelStore
from wholecase.instances import Grid, Whole

SIDE = 32
LABELS = Labels(column="label", classes=(("a", ("a",)), ("b", ("b",))), ignore=())


def pictures(seed: int, count: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, SIDE, SIDE, 3)).astype(np.uint8)


def write_cohort(folder: Path, rows: list[str]) -> Path:
    path = folder / "cohort.csv"
    head = "case_id,patient_id,path,label,kind,mpp"
    path.write_text("\n".join([head, *rows]) + "\n")
    return path


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    """Six patches of one file, two PNG files in one case, one PNG that is damaged."""
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["x"] = pictures(1, 6)
    for number, picture in enumerate(pictures(2, 2)):
        Image.fromarray(picture).save(tmp_path / f"p{number}.png")
    (tmp_path / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing follows")
    rows = [f"h{i},s{i},x.h5#{i},{'ab'[i % 2]},tile,0.97" for i in range(6)]
    rows += ["two,q,p0.png,a,tile,", "two,q,p1.png,a,tile,", "bad,r,bad.png,b,tile,"]
    return write_cohort(tmp_path, rows)


def decoded(manifest: Path, workers: int = 0, cut: Whole | Grid | None = None) -> Extraction:
    cohort = read_cohort(manifest, LABELS)
    return decode(cohort, cut or Whole(SIDE), manifest.parent / "store", Place(workers=workers))


def test_stored_pixels_are_those_of_the_files(mixed: Path) -> None:
    done = decoded(mixed)
    cohort = read_cohort(mixed, LABELS)
    wanted = {f"x.h5#{i}": p for i, p in enumerate(pictures(1, 6))}
    wanted |= {f"p{i}.png": p for i, p in enumerate(pictures(2, 2))}
    for case in cohort.cases:
        for image in case.images:
            if image.path.name == "bad.png":
                assert not done.has(image)
                continue
            bag = done.bag(image)
            assert bag is not None
            assert np.array_equal(bag.values[0], wanted[image.path.name])
            assert bag.box_px.tolist() == [[0, 0, SIDE, SIDE]]
            scale = 0.97 if image.mpp else np.nan
            assert np.allclose(bag.scale, [scale], equal_nan=True)
    assert (done.encoded, done.reused, done.tiles) == (8, 0, 8)


def test_one_bad_image_costs_one_image_and_says_why(mixed: Path) -> None:
    (failure,) = decoded(mixed).failures
    assert (failure.case, failure.path.name) == ("bad", "bad.png")
    assert "bad.png" in failure.reason


@pytest.mark.parametrize("workers", [0, 2])
def test_a_second_time_decodes_nothing_and_workers_change_no_byte(
    mixed: Path, workers: int
) -> None:
    first = decoded(mixed, workers)
    store = first.pixels
    assert store is not None
    before = {path.name: path.read_bytes() for path in store.folder.iterdir()}
    again = decoded(mixed)
    assert (again.encoded, again.reused) == (0, 8)
    assert {path.name: path.read_bytes() for path in store.folder.iterdir()} == before


def test_equal_patches_have_equal_digests_and_blank_ones_say_so(tmp_path: Path) -> None:
    patches = pictures(3, 4)
    patches[2] = patches[0]
    patches[3] = 255
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["x"] = patches
    manifest = write_cohort(tmp_path, [f"h{i},s{i},x.h5#{i},a,tile," for i in range(4)])
    names = [decoded(manifest).digests[tmp_path / f"x.h5#{i}"] for i in range(4)]
    assert names[0] == names[2] != names[1]
    assert names[3].startswith("blank-ffffff")


def test_a_grid_stores_every_square_in_the_order_of_its_index(tmp_path: Path) -> None:
    picture = pictures(4, 1)[0].repeat(4, 0).repeat(4, 1)  # 128 x 128
    Image.fromarray(picture).save(tmp_path / "a.png")
    manifest = write_cohort(tmp_path, ["a,p,a.png,a,still,0.5"])
    done = decoded(manifest, cut=Grid(SIDE, 0.5))
    (case,) = read_cohort(manifest, LABELS).cases
    bag = done.bag(case.images[0])
    assert bag is not None
    assert len(bag) == 16
    for (x, y, width, height), square in zip(bag.box_px.tolist(), bag.values, strict=True):
        assert np.array_equal(square, picture[y : y + height, x : x + width])


def test_rows_are_gathered_in_any_order_across_packs(mixed: Path) -> None:
    store = decoded(mixed).pixels
    assert store is not None
    everything = store.gather(np.arange(8))
    order = np.array([7, 0, 3, 3, 6, 1])
    assert np.array_equal(store.gather(order), everything[order])


def test_a_store_travels_to_a_worker(mixed: Path) -> None:
    done = decoded(mixed)
    there: Extraction = pickle.loads(pickle.dumps(done))
    assert isinstance(there.pixels, PixelStore)
    assert done.pixels is not None
    rows = np.arange(8)
    assert np.array_equal(there.pixels.gather(rows), done.pixels.gather(rows))


def test_a_pack_without_index_is_made_again(mixed: Path) -> None:
    store = decoded(mixed).pixels
    assert store is not None
    (index,) = store.folder.glob("*.safetensors")
    index.unlink()  # as a process that was killed before the index leaves it
    again = decoded(mixed)
    assert (again.encoded, again.reused) == (8, 0)


def test_damaged_pixels_are_noticed(mixed: Path) -> None:
    done = decoded(mixed)
    assert done.pixels is not None
    (rows,) = done.pixels.folder.glob("*.npy")
    content = bytearray(rows.read_bytes())
    content[-5] ^= 255
    rows.write_bytes(bytes(content))
    images = [image for case in read_cohort(mixed, LABELS).cases for image in case.images]
    with pytest.raises(StoreError, match="damaged"):
        _ = [done.bag(image) for image in images]

"""The survey finds every flaw that was made, names its kind, and nothing else."""

import json
import os

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wholecase.cli import main
from wholecase.cohort import Case, Cohort, Image
from wholecase.core.errors import StoreError
from wholecase.execution import Place
from wholecase.extract import decode
from wholecase.features import Bag, Store, survey
from wholecase.instances import Whole

SETTINGS = {"encoder": "drawn@1", "width": 5}


def bag(seed=0, n=7):
    rng = np.random.default_rng(seed)
    return Bag(
        values=rng.normal(size=(n, 5)).astype(np.float32),
        box_px=rng.integers(0, 2**40, (n, 4)),
        position_um=np.ones((n, 3), np.float32),
        scale=np.full(n, 0.5, np.float32),
        facts={"width_px": "10"},
    )


@pytest.fixture
def store(tmp_path):
    made = Store(tmp_path / "store", SETTINGS)
    for key in "abc":
        made.write(key, bag(ord(key)))
    return made


def flaws(root):
    return {f.path.name: f.kind for surveyed in survey(root) for f in surveyed.flaws}


def check(*words):
    with pytest.raises(SystemExit) as left:
        main(["store", "check", *map(str, words)])
    return int(left.value.code or 0)


def flip(path, place):
    content = bytearray(path.read_bytes())
    content[place] ^= 0x10
    path.write_bytes(content)


def test_a_whole_store_has_no_flaw(store):
    assert flaws(store.folder.parent) == flaws(store.folder) == {}
    assert [one.bags for one in survey(store.folder.parent)] == [3]


@settings(max_examples=30, deadline=None)
@given(share=st.floats(0, 1), data=st.data())
def test_any_flipped_bit_and_any_cut_is_found(tmp_path_factory, share, data):
    store = Store(tmp_path_factory.mktemp("s"), SETTINGS)
    store.write("a", bag())
    path = store.path("a")
    size = path.stat().st_size
    content = bytearray(path.read_bytes())
    if data.draw(st.booleans()):
        content[min(int(share * size), size - 1)] ^= 1 << data.draw(st.integers(0, 7))
    else:
        content = content[: int(share * (size - 1))]
    path.write_bytes(content)
    assert store.has("a") <= (len(content) == size)
    # a flip within the label's own digest reads as another store's bag
    assert flaws(store.folder)["a.safetensors"] in {"damaged", "foreign"}


def test_every_kind_of_flaw(store, tmp_path):
    root = store.folder.parent
    flip(store.path("a"), -1)
    other = Store(root, {**SETTINGS, "encoder": "drawn@2"})
    other.write("d", bag())
    os.link(other.path("d"), store.path("d"))
    (store.folder / "notes.txt").write_text("x")
    (store.folder / "b.tissue.geojson").write_text("{}")
    (store.folder / "gone.tissue.jpg").write_bytes(b"x")
    (store.folder / ".c.00ff00ff.part.safetensors").write_bytes(b"half")
    (root / "README").write_text("x")
    with store.claim("c"):
        assert flaws(root) == {
            "a.safetensors": "damaged",
            "d.safetensors": "foreign",
            "notes.txt": "foreign",
            "gone.tissue.jpg": "orphaned",
            ".c.00ff00ff.part.safetensors": "orphaned",
            "README": "foreign",
        }


def test_the_command_tells_and_ends_with_1_until_repaired(store, capsys):
    root = store.folder.parent
    assert check(root) == 0
    assert capsys.readouterr().out == "3 bags, 0 damaged, 0 foreign or orphaned\n"
    flip(store.path("b"), 300)
    (root / "README").write_text("x")
    assert check(root) == 1
    told = capsys.readouterr().out
    assert f"damaged: {store.path('b')}" in told
    assert told.endswith("3 bags, 1 damaged, 1 foreign or orphaned\n")
    assert store.path("b").exists()
    assert check(root, "--repair") == 0
    assert f"damaged (removed): {store.path('b')}" in capsys.readouterr().out
    assert store.keys() == ("a", "c")
    assert (root / "README").exists()
    assert check(root) == 0


def test_damaged_settings_are_removed_and_written_again(store):
    told = store.folder / "settings.json"
    before = told.read_bytes()
    told.write_text(json.dumps({"schema": 1, **SETTINGS, "width": 6}))
    assert check(store.folder.parent) == 1
    assert check(store.folder.parent, "--repair") == 0
    again = Store(store.folder.parent, SETTINGS)
    assert told.read_bytes() == before
    assert again.read("a").facts == {"width_px": "10"}


@pytest.mark.parametrize("name", ["none", ""])
def test_what_is_no_store_is_refused(tmp_path, name, capsys):
    with pytest.raises(StoreError, match="given as --store"):
        list(survey(tmp_path / name))
    assert check(tmp_path / name) == 1
    assert "given as --store" in capsys.readouterr().err


def test_packs_of_pixels_are_looked_through_as_bags_are(tmp_path):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["x"] = np.random.default_rng(0).integers(0, 256, (5, 8, 8, 3)).astype(np.uint8)
    images = [Image(tmp_path / f"x.h5#{n}", "tile", n) for n in range(5)]
    cases = tuple(Case(f"{i.line}", f"{i.line}", (i,)) for i in images)
    cohort, root = Cohort(tmp_path / "cohort.csv", cases, ()), tmp_path / "store"
    folder = decode(cohort, Whole(8), root, Place(workers=0)).pixels.folder
    assert flaws(root) == {}
    assert check(root, "--repair") == 0
    (rows,), (index,) = folder.glob("*.npy"), folder.glob("*.safetensors")
    flip(rows, -7)
    assert flaws(root) == {index.name: "damaged"}
    assert check(root, "--repair") == 0
    assert flaws(root) == {rows.name: "orphaned"}
    assert decode(cohort, Whole(8), root, Place(workers=0)).encoded == 5
    assert flaws(root) == {}
    rows.unlink()
    (folder / "z.npy").write_bytes(b"left behind")
    assert flaws(root) == {index.name: "damaged", "z.npy": "orphaned"}

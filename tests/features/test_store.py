"""What is read is what was written, and nothing else is accepted."""

import json
import os
import pickle
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wholecase.core.errors import StoreError
from wholecase.features import Bag, Store, UnwritableError, bag_file
from wholecase.features.bag_file import read_bag

SETTINGS = {"encoder": "drawn@1", "width": 5, "cut": {"name": "grid", "side_px": 224}}


def drawn_bag(seed=0, n=7, width=5):
    rng = np.random.default_rng(seed)
    return Bag(
        values=rng.normal(size=(n, width)).astype(np.float32),
        box_px=rng.integers(0, 2**40, (n, 4)),
        position_um=np.where(rng.random((n, 3)) < 0.3, np.nan, 1).astype(np.float32),
        scale=np.full(n, np.nan, np.float32),
        facts={"width_px": "10", "spacing_rung": "µ"},
    )


def same(one, other):
    return one.facts == other.facts and all(
        getattr(one, name).dtype == getattr(other, name).dtype
        and np.array_equal(getattr(one, name), getattr(other, name), equal_nan=name != "box_px")
        for name in ("values", "box_px", "position_um", "scale")
    )


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32), n=st.integers(1, 40), width=st.integers(1, 9))
def test_what_is_read_is_what_was_written(tmp_path_factory, seed, n, width):
    store = Store(tmp_path_factory.mktemp("store"), {**SETTINGS, "width": width})
    bag = drawn_bag(seed, n, width)
    store.write("a", bag)
    assert store.has("a")
    assert not store.has("b")
    assert same(Store(store.folder.parent, store.settings).read("a"), bag)


def test_slices_are_stored_where_there_are_any_and_change_no_other_bag(tmp_path):
    store, bag = Store(tmp_path, SETTINGS), drawn_bag()
    store.write("flat", bag)
    store.write("first", replace(bag, plane=np.zeros(7, np.int64)))
    assert store.path("flat").read_bytes() == store.path("first").read_bytes()
    assert store.read("first").plane is None
    plane = np.array([0, 0, 1, 5, 2, 2, 3])
    store.write("series", replace(bag, plane=plane))
    found = store.read("series")
    assert same(found, bag)
    assert np.array_equal(found.plane, plane)
    damaged = bytearray(store.path("series").read_bytes())
    at = damaged.index(plane.tobytes())
    damaged[at + 8 * 3] = 4
    store.path("series").write_bytes(damaged)
    with pytest.raises(StoreError, match="its checksum differs"):
        store.read("series")


def test_another_window_is_another_key(tmp_path):
    store = Store(tmp_path, SETTINGS)
    keys = {store.key("f"), store.key("f", window=(0, 4095)), store.key("f", window=(0, 4096))}
    assert len(keys) == 3


def test_equal_bags_give_equal_bytes(tmp_path):
    one, other = Store(tmp_path / "1", SETTINGS), Store(tmp_path / "2", SETTINGS)
    one.write("a", drawn_bag())
    other.write("a", drawn_bag())
    files = [next(store.folder.glob("a.*")).read_bytes() for store in (one, other)]
    assert files[0] == files[1]


def test_keys_tell_content_and_imposed_spacing_apart(tmp_path):
    store = Store(tmp_path, SETTINGS)
    keys = {store.key("f"), store.key("g"), store.key("f", 0.5), store.key("f", 0.25)}
    assert len(keys) == 4
    assert store.key("f", 0.5) == store.key("f", 0.5)


def test_keys_leaves_out_what_was_never_finished(tmp_path):
    store = Store(tmp_path, SETTINGS)
    for key in ("b", "a"):
        store.write(key, drawn_bag())
    (store.folder / ".c.00ff.part.safetensors").write_bytes(b"half")
    assert store.keys() == ("a", "b")


def test_other_settings_have_another_folder(tmp_path):
    one, other = Store(tmp_path, SETTINGS), Store(tmp_path, {**SETTINGS, "encoder": "drawn@2"})
    one.write("a", drawn_bag())
    assert not other.has("a")
    assert json.loads((one.folder / "settings.json").read_text()) == {"schema": 1, **SETTINGS}


def test_a_bag_of_other_settings_is_refused_when_moved_in(tmp_path):
    one, other = Store(tmp_path, SETTINGS), Store(tmp_path, {**SETTINGS, "encoder": "drawn@2"})
    one.write("a", drawn_bag())
    os.link(one.folder / "a.safetensors", other.folder / "a.safetensors")
    with pytest.raises(StoreError, match="other settings"):
        other.read("a")


@pytest.mark.parametrize("content", ['{"schema": 1, "width": 6}', "{"])
def test_changed_settings_are_refused(tmp_path, content):
    (Store(tmp_path, SETTINGS).folder / "settings.json").write_text(content)
    with pytest.raises(StoreError, match="extract again"):
        Store(tmp_path, SETTINGS)


@pytest.mark.parametrize("place", [3, 60, -1])
def test_a_flipped_byte_is_noticed(tmp_path, place):
    store = Store(tmp_path, SETTINGS)
    store.write("a", drawn_bag())
    path = store.folder / "a.safetensors"
    content = bytearray(path.read_bytes())
    content[place] ^= 0x10
    path.write_bytes(content)
    with pytest.raises(StoreError, match="delete it and extract again"):
        store.read("a")


@pytest.fixture
def hashed(monkeypatch):
    """An entry for each checksum that was computed."""
    times, own = [], bag_file._checksum
    monkeypatch.setattr(bag_file, "_checksum", lambda *a: times.append(0) or own(*a))
    return times


def test_a_bag_is_hashed_once_and_again_when_its_file_changes(tmp_path, hashed, monkeypatch):
    """By a process that learns; who looks for damage asks anew each time."""
    monkeypatch.setattr(bag_file, "SETTLED", 0.0)
    store = Store(tmp_path, SETTINGS)
    store.write("a", drawn_bag())
    hashed.clear()
    for _ in range(3):
        store.read("a")
    assert len(hashed) == 1
    read_bag(store.path("a"), store.digest, anew=True)
    assert len(hashed) == 2
    content = bytearray(store.path("a").read_bytes())
    content[-40] ^= 1
    store.path("a").write_bytes(content)
    with pytest.raises(StoreError, match="is damaged"):
        store.read("a")


def test_what_was_written_a_moment_ago_is_hashed_each_time(tmp_path, hashed):
    store = Store(tmp_path, SETTINGS)
    store.write("a", drawn_bag())
    hashed.clear()
    store.read("a")
    store.read("a")
    assert len(hashed) == 2


def test_a_shortened_file_is_noticed(tmp_path):
    store = Store(tmp_path, SETTINGS)
    store.write("a", drawn_bag())
    path = store.folder / "a.safetensors"
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(StoreError, match="damaged"):
        store.read("a")


def test_what_is_no_bag_is_refused(tmp_path):
    store = Store(tmp_path, SETTINGS)
    infinite = drawn_bag()
    infinite.values[3, 2] = np.inf
    for bag, match in [
        (drawn_bag(n=0), "empty"),
        (drawn_bag(width=6), "6 numbers"),
        (infinite, "not finite"),
    ]:
        with pytest.raises(StoreError, match=match):
            store.write("a", bag)
    assert store.keys() == ()


def test_a_missing_bag_says_so(tmp_path):
    with pytest.raises(StoreError, match="does not exist"):
        Store(tmp_path, SETTINGS).read("a")


def test_a_glance_tells_count_and_facts(tmp_path):
    store = Store(tmp_path, SETTINGS)
    store.write("a", drawn_bag(n=9))
    glance = store.glance("a")
    assert (glance.instances, glance.facts) == (9, drawn_bag().facts)
    with pytest.raises(StoreError, match="extract again"):
        store.glance("b")


def test_a_store_travels(tmp_path):
    store = Store(tmp_path, SETTINGS)
    store.write("a", drawn_bag())
    assert same(pickle.loads(pickle.dumps(store)).read("a"), drawn_bag())


@pytest.mark.parametrize("cut_short", [0, 4, 8, 100, -10, -1])
def test_a_damaged_bag_is_not_there(tmp_path, cut_short):
    store = Store(tmp_path, SETTINGS)
    store.write("a", drawn_bag())
    whole = store.path("a").read_bytes()
    store.path("a").write_bytes(whole[:cut_short])
    assert not store.has("a")
    assert store.peek("a") is None
    store.path("a").write_bytes(b"\xff" * len(whole))
    assert not store.has("a")
    store.write("a", drawn_bag())
    assert store.path("a").read_bytes() == whole


def test_a_bag_of_other_settings_is_not_there(tmp_path):
    one, other = Store(tmp_path, SETTINGS), Store(tmp_path, {**SETTINGS, "encoder": "drawn@2"})
    one.write("a", drawn_bag())
    os.link(one.path("a"), other.path("a"))
    assert one.has("a")
    assert not other.has("a")


@settings(max_examples=15, deadline=None)
@given(n=st.integers(1, 40), width=st.integers(1, 9), facts=st.text(max_size=5))
def test_the_library_reads_what_we_wrote(tmp_path_factory, n, width, facts):
    from safetensors.numpy import load_file

    store = Store(tmp_path_factory.mktemp("store"), {**SETTINGS, "width": width})
    bag = replace(drawn_bag(0, n, width), facts={"a": facts})
    store.write("a", bag)
    read = load_file(store.path("a"))
    assert same(replace(bag, **read), bag)


@pytest.mark.skipif(os.name == "nt", reason="Windows knows no limit of a file's size")
def test_a_full_disk_is_told_in_a_sentence_and_leaves_nothing(tmp_path):
    import resource

    store = Store(tmp_path, SETTINGS)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200, before[1]))
    try:
        with pytest.raises(UnwritableError, match=r"cannot be written.*free space"):
            store.write("a", drawn_bag())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert [path.name for path in store.folder.iterdir()] == ["settings.json"]

"""Files of other tools become bags with everything that they tell, and nothing that they do not."""

import h5py
import numpy as np
import pytest

from toys.feature_files import clam_h5, clam_patches, clam_pt, corners, stamp, trident
from wholecase.core.errors import SourceError
from wholecase.features import FeatureOrigin, glance_foreign, read_foreign


@pytest.fixture
def values():
    return np.random.default_rng(0).normal(size=(12, 6)).astype(np.float32)


def test_trident(tmp_path, values):
    read = read_foreign(trident(tmp_path / "s.h5", values))
    assert (read.tool, read.encoder, read.width) == ("TRIDENT", "uni_v1", 6)
    np.testing.assert_array_equal(read.bag.values, values)
    np.testing.assert_array_equal(read.bag.box_px[:, :2], corners(12, 512))
    assert (read.bag.box_px[:, 2:] == 512).all()
    # 40x at level 0 is 0.25 µm/px: tiles of 128 µm, seen at 20x
    np.testing.assert_allclose(read.bag.position_um[6], [128 + 64, 128 + 64, 0])
    np.testing.assert_allclose(read.bag.scale, 0.5)
    assert read.bag.facts["width_px"] == "10000"
    assert read.bag.facts["spacing_rung"] == "magnification in the feature file"


def test_old_trident_wrote_one_dimension_more(tmp_path, values):
    old = read_foreign(trident(tmp_path / "s.h5", values, old=True))
    np.testing.assert_array_equal(old.bag.values, values)
    assert glance_foreign(tmp_path / "s.h5") == FeatureOrigin("uni_v1", 6, 20.0, 0.5, 256.0)


def test_the_manifests_spacing_goes_before_the_magnification(tmp_path, values):
    bag = read_foreign(trident(tmp_path / "s.h5", values), 0.23).bag
    np.testing.assert_allclose(bag.position_um[1], [1.5 * 512 * 0.23, 256 * 0.23, 0], rtol=1e-6)
    np.testing.assert_allclose(bag.scale, 0.46)
    assert (bag.facts["spacing_um"], bag.facts["spacing_rung"]) == ("0.23", "manifest")


def test_clam_alone_tells_corners_only(tmp_path, values):
    read = read_foreign(clam_h5(tmp_path / "s.h5", values))
    assert (read.tool, read.encoder) == ("CLAM", None)
    np.testing.assert_array_equal(read.bag.box_px[:, :2], corners(12, 512))
    assert (read.bag.box_px[:, 2:] == 0).all()
    assert np.isnan(read.bag.position_um).all()
    assert np.isnan(read.bag.scale).all()
    assert not {"width_px", "spacing_um"} & read.bag.facts.keys()


def test_clams_patch_file_beside_tells_sizes(tmp_path, values):
    bag = read_foreign(clam_h5(tmp_path / "s.h5", values, beside=True), 0.25).bag
    assert (bag.box_px[:, 2:] == 512).all()
    np.testing.assert_allclose(bag.position_um[6], [192, 192, 0])
    np.testing.assert_allclose(bag.scale, 0.5)
    assert (bag.facts["width_px"], bag.facts["height_px"]) == ("10000", "8000")


@pytest.mark.parametrize("above", [1, 2])
def test_clams_patch_folder_may_lie_above(tmp_path, values, above):
    folder = tmp_path / "/".join(["h5_files", "deep"][:above])
    folder.mkdir(parents=True)
    clam_patches(tmp_path / "s.h5", 12)
    assert (read_foreign(clam_h5(folder / "s.h5", values)).bag.box_px[:, 2] == 512).all()


def test_a_bare_tensor_has_no_places_unless_the_patch_file_tells(tmp_path, values):
    path = clam_pt(tmp_path / "s.pt", values)
    alone = read_foreign(path)
    assert (alone.tool, alone.width) == ("CLAM", 6)
    assert (alone.bag.box_px == 0).all()
    assert np.isnan(alone.bag.position_um).all()
    clam_patches(tmp_path / "s.pt", 12)
    np.testing.assert_array_equal(read_foreign(path).bag.box_px[7], [1024, 512, 512, 512])


def test_stamp_counts_in_micrometres(tmp_path, values):
    read = read_foreign(stamp(tmp_path / "s.h5", values))
    assert (read.tool, read.encoder) == ("STAMP", "mahmood-uni")
    np.testing.assert_allclose(read.bag.values, values, atol=5e-3)  # it stores halves
    np.testing.assert_allclose(read.bag.position_um[6], [256 + 128, 256 + 128, 0])
    np.testing.assert_allclose(read.bag.scale, 256 / 224)
    assert (read.bag.box_px == 0).all()  # without a spacing nobody knows the pixels
    placed = read_foreign(tmp_path / "s.h5", 0.5).bag
    np.testing.assert_array_equal(placed.box_px[6], [512, 512, 512, 512])


def test_older_stamp_is_believed_where_its_tiles_touch(tmp_path, values):
    old = {"tile_size_um": None, "unit": None, "tile_size": 256.0}
    told = read_foreign(stamp(tmp_path / "a.h5", values, **old)).bag
    np.testing.assert_allclose(told.position_um[6], [384, 384, 0])
    # steps of 256 cannot be tiles of 300 µm: pixels, or an overlap, and nobody knows which
    untold = read_foreign(stamp(tmp_path / "b.h5", values, **{**old, "tile_size": 300.0})).bag
    assert np.isnan(untold.position_um).all()


def written(path, **sets):
    with h5py.File(path, "w") as file:
        for name, content in sets.items():
            file[name] = content
    return path


@pytest.mark.parametrize(
    ("features", "match"),
    [
        (np.zeros((0, 6)), "holds no tiles"),
        (np.zeros((1, 0, 6)), "holds no tiles"),
        (np.zeros(6), "one vector for the whole slide"),
        (np.zeros((2, 3, 6)), "2 x 3 x 6"),
        (np.array([[1, np.nan], [1, 1]]), "1 of 2 tiles hold features that are not finite"),
        (np.array([[np.inf, 1.0], [1.0, 2.0]]), "not finite"),
        (np.ones((3, 6)), "3 tiles of features but 2 coordinates"),
    ],
)
def test_what_is_no_bag_is_refused_by_name(tmp_path, features, match):
    path = written(tmp_path / "s.h5", features=features, coords=np.zeros((2, 2)))
    with pytest.raises(SourceError, match=match) as caught:
        read_foreign(path)
    assert str(path) in str(caught.value)


def test_halves_that_overflowed_are_refused(tmp_path):
    path = written(tmp_path / "s.h5", features=np.array([[np.inf, 1], [1, 2]], np.float16))
    with pytest.raises(SourceError, match="not finite"):
        read_foreign(path)


def test_other_files_are_told_what_they_are(tmp_path, values):
    with pytest.raises(SourceError, match="it holds coords, imgs"):
        read_foreign(written(tmp_path / "a.h5", imgs=values, coords=values))
    (tmp_path / "b.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(40))
    with pytest.raises(SourceError, match="damaged or no HDF5"):
        read_foreign(tmp_path / "b.h5")
    with pytest.raises(SourceError, match="no such file"):
        read_foreign(tmp_path / "c.h5")


def test_a_file_cut_short_is_damaged(tmp_path, values):
    path = trident(tmp_path / "s.h5", np.zeros((2000, 6), np.float32))
    path.write_bytes(path.read_bytes()[:-9000])
    with pytest.raises(SourceError, match="damaged"):
        read_foreign(path)

"""What every cut promises, tried on every member of the table."""

import json

import numpy as np
import pytest
from PIL import Image

from toys.hounsfield import LOWEST_UM, THICK_UM, HounsfieldSeries, volume
from wholecase.core.digest import digest
from wholecase.core.errors import SourceError
from wholecase.core.lookup import options_of
from wholecase.instances import CUTS, Slices, stream
from wholecase.sources import open_source

OTHERS = {
    "crop": "head",
    "sample": {"share": 0.5},
    "side_px": 48,
    "spacing_um": 0.75,
    "tissue": {"name": "classical", "least": 0.5},
}
"""For every option of any cut a value that is not its default."""


@pytest.fixture(params=CUTS)
def cut_class(request):
    return CUTS[request.param]


@pytest.fixture
def source(tmp_path):
    rng = np.random.default_rng(4)
    pixels = rng.integers(100, 200, (700, 900, 3), dtype=np.uint8)
    pixels[..., 1] //= 2
    Image.fromarray(pixels).save(tmp_path / "a.png")
    with open_source(tmp_path / "a.png", "still", 0.5) as source:
        yield source


def test_the_table_and_the_settings_name_the_cut_alike():
    for name, cut_class in CUTS.items():
        assert cut_class().settings["name"] == name


def test_settings_are_json_and_tell_every_option_apart(cut_class):
    plain = cut_class().settings
    assert json.loads(json.dumps(plain)) == plain
    assert digest(**plain) == digest(**cut_class().settings)
    seen = {digest(**plain)}
    for option in options_of(cut_class):
        changed = cut_class(**{option: OTHERS[option]}).settings
        assert json.loads(json.dumps(changed)) == changed
        seen.add(digest(**changed))
    assert len(seen) == 1 + len(options_of(cut_class))


def test_settings_lead_back_to_the_same_cut(cut_class):
    given = {option: OTHERS[option] for option in options_of(cut_class)}
    settings = cut_class(**given).settings
    for option, value in given.items():
        assert settings[option] == value or value.items() <= settings[option].items()


def test_boxes_lie_inside_the_image_and_columns_agree(cut_class, source):
    for cut in (cut_class(), cut_class(**{o: OTHERS[o] for o in options_of(cut_class)})):
        found = cut(source)
        assert len(found) >= 1
        assert found.position_um.shape == (len(found), 3)
        assert found.scale.shape == (len(found),)
        x, y, width, height = found.box_px.T
        assert (x >= 0).all()
        assert (y >= 0).all()
        assert (width > 0).all()
        assert (height > 0).all()
        assert (x + width <= 900).all()
        assert (y + height <= 700).all()


def test_an_outline_is_taken_and_boxes_stay_inside_the_image(cut_class, source, tmp_path):
    corners = [[0, 0], [2000, 0], [2000, 350], [0, 350], [0, 0]]
    path = tmp_path / "a.geojson"
    path.write_text(json.dumps({"type": "Polygon", "coordinates": [corners]}))
    found = cut_class()(source, path)
    assert len(found) >= 1
    assert (found.box_px[:, :2] + found.box_px[:, 2:] <= (900, 700)).all()
    assert found.upsampled == 1.0


def test_positions_are_the_centres_of_the_boxes(cut_class, source):
    found = cut_class()(source)
    centres = (found.box_px[:, :2] + found.box_px[:, 2:] / 2) * 0.5
    assert np.allclose(found.position_um[:, :2], centres)


def test_a_series_is_cut_plane_by_plane_or_refused_by_name(cut_class, tmp_path):
    np.save(tmp_path / "a.npy", volume(seed=2, slices=5, height=30, width=40))
    cut = cut_class(side_px=30)
    with HounsfieldSeries(tmp_path / "a.npy", 700.0) as series:
        if cut_class is not Slices:
            with pytest.raises(SourceError, match=r"a\.npy: has 5 slices, .* cut.name=slices"):
                cut(series)
            return
        found = cut(series)
        assert found.planes.tolist() == [0, 1, 2, 3, 4]
        assert found.box_px.tolist() == [[0, 0, 40, 30]] * 5
        heights = [LOWEST_UM + THICK_UM * z for z in range(5)]
        assert found.position_um.tolist() == [[14000.0, 10500.0, z] for z in heights]
        assert found.only(np.array([3, 1])).planes.tolist() == [3, 1]
        seen = np.concatenate([part for part, _ in stream(series, found, batch=2)])
        assert seen.tolist() == [0, 1, 2, 3, 4]
    with HounsfieldSeries(tmp_path / "a.npy") as series:
        assert np.isnan(cut(series).position_um[:, :2]).all()
        assert cut(series).position_um[:, 2].tolist() == heights


def test_a_flat_image_has_one_plane(cut_class, source):
    assert not cut_class()(source).planes.any()


def test_twice_is_the_same(cut_class, source):
    first, second = cut_class()(source), cut_class()(source)
    assert np.array_equal(first.box_px, second.box_px)
    assert np.array_equal(first.scale, second.scale)


def test_the_stream_gives_each_instance_once_at_its_side(cut_class, source):
    found = cut_class(side_px=OTHERS["side_px"])(source)
    indices = []
    for part, pixels in stream(source, found, batch=5):
        assert pixels.shape == (len(part), found.side_px, found.side_px, 3)
        indices += part.tolist()
    assert sorted(indices) == list(range(len(found)))

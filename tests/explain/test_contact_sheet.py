import numpy as np
import pytest

from wholecase.explain import TILE_PX, ShownTile, contact_sheet
from wholecase.explain.contact_sheet import COLUMNS, GAP_PX, caption
from wholecase.explain.legend import text


def tile(colour, rank=1, times=1.0):
    return ShownTile(np.full((TILE_PX, TILE_PX, 3), colour, np.uint8), rank, times)


def places(sheet, colour):
    """Top left of the full tile of this colour."""
    rows, columns = np.nonzero((sheet == colour).all(axis=2))
    found = sheet[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    assert (found == colour).all()
    assert found.shape[:2] == (TILE_PX, TILE_PX)
    return rows.min(), columns.min()


def test_tiles_stand_in_order_the_most_above_the_least():
    most = [tile((200, 20 * i, 10), i + 1) for i in range(8)]
    least = [tile((10, 20 * i, 200), 30 - i) for i in range(2)]
    sheet = contact_sheet("c07", [("most attended", most), ("least attended", least)], None)
    first, second = ([places(sheet, t.pixels[0, 0]) for t in tiles] for tiles in (most, least))
    for row in (first[:COLUMNS], first[COLUMNS:], second):
        assert len({y for y, _ in row}) == 1
        assert [x for _, x in row] == [GAP_PX + i * (TILE_PX + GAP_PX) for i in range(len(row))]
    assert first[0][0] + TILE_PX < first[COLUMNS][0] < second[0][0] - TILE_PX


def test_every_tile_has_its_rank_and_weight_below_it():
    tiles = [tile((90, 0, 0), 1, 34.25), tile((0, 90, 0), 2, 0.0123)]
    sheet = contact_sheet("c07", [("most attended", tiles)], None)
    for shown in tiles:
        y, x = places(sheet, shown.pixels[0, 0])
        words = text(caption(shown), 15)
        below = sheet[y + TILE_PX : y + TILE_PX + words.shape[0], x : x + words.shape[1]]
        np.testing.assert_array_equal(below, words)
    assert caption(tiles[0]) == "no. 1: 34.2 x average"
    assert caption(tiles[1]) == "no. 2: 0.0123 x average"


@pytest.mark.parametrize("tile_um", [112.0, 30.0, 900.0])
def test_the_ruler_is_as_long_as_it_says(tile_um):
    groups = [("most attended", [tile((200, 0, 0))])]
    plain, ruled = (contact_sheet("c07", groups, um) for um in (None, tile_um))
    np.testing.assert_array_equal(plain, ruled[: len(plain)])
    strip = ruled[len(plain) :]
    dark = (strip[len(strip) // 2] < 60).all(axis=1)
    edges = np.flatnonzero(np.diff(np.concatenate(([False], dark, [False])).astype(int)))
    length_px = (edges[1::2] - edges[::2]).max()
    length_um = length_px / TILE_PX * tile_um
    power = 10 ** np.floor(np.log10(length_um * 1.05))
    assert min(abs(length_um / power / m - 1) for m in (1, 2, 5)) < 0.05
    assert TILE_PX / 8 < length_px <= TILE_PX / 2 + 1


def test_a_micron_is_no_plain_u():
    plain, micron = text("50 um", 15), text("50 µm", 15)
    assert plain.shape == micron.shape
    extra = np.argwhere((plain != micron).any(axis=2))
    ink = np.argwhere((plain < 128).any(axis=2))
    assert len(extra)
    assert extra[:, 0].max() > ink[:, 0].max()


def test_groups_without_tiles_are_left_out():
    alone = contact_sheet("c07", [("most attended", [tile((200, 0, 0))])], None)
    groups = [("most attended", [tile((200, 0, 0))]), ("least attended", [])]
    np.testing.assert_array_equal(contact_sheet("c07", groups, None), alone)

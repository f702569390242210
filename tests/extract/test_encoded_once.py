"""Equal tiles are encoded once, and every stored byte is what it was."""

import numpy as np
import pytest
import tifffile
import timm
import torch
from safetensors.torch import save_file

from extract.conftest import SIDE, cohort_of, files, plan_in
from wholecase.cohort import Image
from wholecase.encoders import EncoderSpec
from wholecase.execution import Place
from wholecase.extract import Plan, extract, table_lines
from wholecase.extract.encoded_once import EncodedOnce
from wholecase.instances import Grid


@pytest.mark.parametrize("distinct", [1, 5, 9, 40])
def test_every_row_is_its_tiles_and_calls_keep_their_size(distinct):
    rng = np.random.default_rng(distinct)
    pixels = rng.integers(0, 256, (distinct, 4, 4, 3), np.uint8)[rng.integers(0, distinct, 47)]
    calls: list[int] = []

    def encode(tiles):
        calls.append(len(tiles))
        return tiles.reshape(len(tiles), -1).astype(np.float32)

    once = EncodedOnce(encode, 8, np.full((47, 48), np.nan, np.float32))
    for start in range(0, 47, 8):
        rows = np.arange(start, min(start + 8, 47))
        once.take(rows, pixels[rows])
    once.finish()
    np.testing.assert_array_equal(once.values, pixels.reshape(47, -1))
    new = len(np.unique(pixels[:40], axis=0))
    assert once.repeated == 40 - new
    assert calls.count(7) == 1
    assert set(calls) <= {7, 8}
    assert len(calls) == 1 + -(-new // 8)


def test_the_bytes_are_those_of_encoding_each(tmp_path, monkeypatch):
    """A slide of 14 x 14 tiles of which three quarters are filled in, as scanners do."""
    pixels = np.full((14 * SIDE, 14 * SIDE, 3), 255, np.uint8)
    pixels[::2] = np.random.default_rng(0).integers(0, 256, (7 * SIDE, 14 * SIDE, 3), np.uint8)
    pixels[5 * SIDE :, :] = 255
    tifffile.imwrite(tmp_path / "a.tif", pixels, tile=(SIDE, SIDE), photometric="rgb")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        save_file(timm.create_model("test_resnet").state_dict(), tmp_path / "w.safetensors")
    told = {"model": "test_resnet", "weights": str(tmp_path / "w.safetensors"), "batch": 32}
    cohort = cohort_of(tmp_path, Image(tmp_path / "a.tif", "slide", 2, mpp=0.5))

    def made(name):
        plan = Plan(Grid(SIDE, 0.5), EncoderSpec("timm", told), tmp_path / name)
        return extract(cohort, plan, Place(workers=0))

    done = made("once")
    repeated = done.repeated
    assert repeated == 196 - 4 - 5 * 14 - 1  # four tiles are in the last batch, one white is first
    assert any(line.startswith(f"{repeated} of them show") for line in table_lines(done))
    monkeypatch.setattr(
        EncodedOnce, "take", lambda self, i, p: self.values.__setitem__(i, self._encode(p))
    )
    assert made("each").repeated == 0
    assert files(tmp_path / "once") == files(tmp_path / "each")


def test_a_slide_without_equal_tiles_has_none(tmp_path, drawn):
    done = extract(cohort_of(tmp_path, drawn("a.tif").image), plan_in(tmp_path), Place(workers=0))
    assert (done.tiles, done.repeated) == (100, 0)

"""Drawn thumbnails: the same from the same seed, and what they say about themselves is true."""

import numpy as np
import pytest

from wholecase.core.errors import RecipeError
from wholecase.phantoms.spoilt import ARTEFACTS, spoil
from wholecase.phantoms.stained import STAINS, draw_stained


@pytest.mark.parametrize("stain", STAINS)
def test_a_stain_darkens_the_tissue_and_nothing_else(stain):
    slide = draw_stained(stain, 4)
    light = slide.pixels.mean(axis=2)
    bare = ~slide.tissue & ~slide.cavities
    assert 0.2 < slide.tissue.mean() < 0.6
    assert np.median(light[slide.tissue]) < np.median(light[bare]) - 6
    assert abs(np.median(light[bare]) - 242) < 2
    assert not (slide.tissue & slide.cavities).any()


@pytest.mark.parametrize("artefact", ARTEFACTS)
def test_the_same_seed_draws_the_same_and_another_does_not(artefact):
    slides = [spoil(draw_stained("h&e", s), artefact, s) for s in (1, 1, 2)]
    assert np.array_equal(slides[0].pixels, slides[1].pixels)
    assert not np.array_equal(slides[0].pixels, slides[2].pixels)


@pytest.mark.parametrize("artefact", ARTEFACTS)
def test_an_artefact_changes_pixels_and_leaves_its_slide_alone(artefact):
    slide = draw_stained("dab", 3)
    before = slide.pixels.copy()
    assert (spoil(slide, artefact, 3).pixels != before).any()
    assert np.array_equal(slide.pixels, before)


def test_unknown_names_are_told_their_neighbours():
    with pytest.raises(RecipeError, match="did you mean 'bleached'"):
        draw_stained("bleachd", 1)
    with pytest.raises(RecipeError, match="did you mean 'bubble'"):
        spoil(draw_stained("h&e", 1), "buble", 1)

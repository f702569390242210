"""Cohorts made of a few words, for the tests beside this file."""

from pathlib import Path

import pytest

from wholecase.cohort import Case, Cohort, Image


def make_case(name, patient, target, *, copies=(False,), split=None):
    """A case with one image per entry of `copies`, which says whether it is train_only."""
    images = tuple(
        Image(Path(f"{name}-{i}.png"), "tile", i + 2, train_only=copy)
        for i, copy in enumerate(copies)
    )
    return Case(name, patient, images, label=f"L{target}", target=target, split=split)


@pytest.fixture(scope="session")
def case():
    return make_case


@pytest.fixture(scope="session")
def cohort_of():
    def build(cases, classes=("no", "yes")):
        return Cohort(Path("cohort.csv"), tuple(cases), tuple(classes))

    return build

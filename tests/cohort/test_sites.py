"""Folds of whole sites: no model has seen a site that it is judged on."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wholecase.cohort import Case, Cohort, nested
from wholecase.core.errors import SplitError


def cohort(sites, targets=None, patients=None):
    cases = tuple(
        Case(
            f"c{i}",
            patients[i] if patients else f"p{i:03}",
            (),
            target=targets[i] if targets else i % 2,
            site=site,
        )
        for i, site in enumerate(sites)
    )
    # a case without images cannot be judged; these stand for their images
    return Cohort(Path("c.csv"), tuple(with_image(case) for case in cases), ("a", "b"))


def with_image(case):
    from dataclasses import replace

    from wholecase.cohort import Image

    return replace(case, images=(Image(Path(f"{case.id}.png"), "tile", 2),))


@given(
    sizes=st.lists(st.integers(6, 30), min_size=3, max_size=12),
    folds=st.integers(2, 5),
    seed=st.integers(0, 99),
)
@settings(max_examples=12, deadline=None)
def test_whole_sites_are_tested_once_and_never_seen_before(sizes, folds, seed):
    sites = [f"s{k}" for k, size in enumerate(sizes) for _ in range(size)]
    if len(sizes) < folds:
        return
    split = nested(cohort(sites), folds=folds, validation=0.2, seed=seed, by_site=True)
    tested = [{case.site for case in fold.test} for fold in split.folds]
    assert sum(map(len, tested)) == len(sizes)
    assert set().union(*tested) == {f"s{k}" for k in range(len(sizes))}
    for fold, own in zip(split.folds, tested, strict=True):
        assert not own & {case.site for case in (*fold.train, *fold.valid)}


def test_sites_of_equal_size_are_dealt_evenly_by_class():
    sites = [f"s{k}" for k in range(10) for _ in range(8)]
    targets = [int(i % 8 < (6 if i // 8 < 5 else 2)) for i in range(80)]  # five sites mostly ill
    split = nested(cohort(sites, targets), folds=5, validation=0.2, seed=1, by_site=True)
    for fold in split.folds:
        assert len(fold.test) == 16
        assert sum(case.target for case in fold.test) == 8


def test_sites_that_share_a_patient_stay_together():
    sites = [f"s{k}" for k in range(4) for _ in range(10)]
    patients = [f"p{i:03}" for i in range(40)]
    patients[12] = patients[2]  # of s0 and of s1
    split = nested(cohort(sites, patients=patients), folds=3, validation=0.2, seed=1, by_site=True)
    together = [{case.site for case in fold.test} for fold in split.folds]
    assert any({"s0", "s1"} <= own for own in together)


def test_a_case_without_a_site_and_too_few_sites_are_told():
    with pytest.raises(SplitError, match="nothing is said of c3"):
        nested(cohort(["a", "b", "a", None] * 5), folds=2, validation=0.2, seed=1, by_site=True)
    with pytest.raises(SplitError, match="2 sites cannot be dealt to 3 folds whole"):
        nested(cohort(["a", "b"] * 20), folds=3, validation=0.2, seed=1, by_site=True)

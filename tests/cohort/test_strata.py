"""Dealing patients: shares are met class by class."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from wholecase.cohort.strata import Patient, deal


def patients(sets):
    return [Patient(f"p{i}", tuple(sorted(s)), 1 + i % 3) for i, s in enumerate(sets)]


def class_counts(people, groups):
    stratum = {person.id: person.targets for person in people}
    return [Counter(target for name in group for target in stratum[name]) for group in groups]


singles = st.lists(st.integers(0, 3).map(lambda target: {target}), min_size=1, max_size=60)
pairs = st.lists(st.sampled_from([{0}, {1}, {0, 1}]), min_size=1, max_size=60)
triples = st.lists(st.sets(st.integers(0, 2), min_size=1), min_size=1, max_size=60)


@settings(max_examples=80, deadline=None)
@given(sets=singles | pairs, groups=st.integers(2, 10))
def test_equal_groups_differ_by_one_patient_of_a_class(sets, groups):
    people = patients(sets)
    hands = deal(people, [1 / groups] * groups)
    assert sorted(name for hand in hands for name in hand) == sorted(p.id for p in people)
    counts = class_counts(people, hands)
    for target in {t for s in sets for t in s}:
        found = [count[target] for count in counts]
        assert max(found) - min(found) <= 1


@settings(max_examples=80, deadline=None)
@given(sets=singles, groups=st.integers(2, 10))
def test_with_one_class_each_the_groups_are_of_one_size(sets, groups):
    sizes = [len(hand) for hand in deal(patients(sets), [1 / groups] * groups)]
    assert max(sizes) - min(sizes) <= 1


@settings(max_examples=80, deadline=None)
@given(sets=triples, groups=st.integers(2, 6))
def test_patients_of_many_classes_stay_near_the_ideal(sets, groups):
    people = patients(sets)
    counts = class_counts(people, deal(people, [1 / groups] * groups))
    for target in range(3):
        ideal = sum(target in s for s in sets) / groups
        assert all(abs(count[target] - ideal) <= 2 for count in counts)


@settings(max_examples=80, deadline=None)
@given(sets=singles | pairs, share=st.floats(0.05, 0.5))
def test_unequal_shares_are_met_within_a_patient_and_never_empty(sets, share):
    people = patients(sets)
    counts = class_counts(people, deal(people, [1 - share, share]))
    for target in {t for s in sets for t in s}:
        total = sum(target in s for s in sets)
        assert abs(counts[1][target] - total * share) <= 1
        if total >= 2:
            assert min(count[target] for count in counts) >= 1


def test_groups_of_equal_patients_share_the_cases():
    people = [Patient(f"p{i}", (0,), cases) for i, cases in enumerate([9, 1, 1, 9])]
    by_id = {person.id: person.cases for person in people}
    assert [sum(by_id[name] for name in hand) for hand in deal(people, [0.5, 0.5])] == [10, 10]

"""The same figures within each value of a column: of one site, one sex, one scanner, one age."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from wholecase.answer import Judgement, scores_of
from wholecase.core.seeds import seed_of
from wholecase.evaluation import measure
from wholecase.recipes import Recipe

MOST_VALUES = 12
"""A column of words with more values is not parted by."""
PARTS = 3
"""Numbers are parted into so many groups of as many cases each."""
LEAST = 5
"""Patients below which a group is told by its size alone."""
SHOWN = ("auroc", "balanced_accuracy", "sensitivity", "specificity", "brier")


def of_subgroups(
    judged: Sequence[Judgement], columns: Mapping[str, Mapping[str, str]], recipe: Recipe
) -> dict[str, Any]:
    """Column -> value -> `{patients, cases, metrics}`, ranks compared within folds.

    Columns of more than `MOST_VALUES` words are left out; numbers are parted at their thirds.
    Intervals are of each group alone: of many groups some lie apart by chance.
    """
    found = {}
    for column, cells in columns.items():
        groups = _groups([one for one in judged if one.case.id in cells], cells)
        if len(groups) > 1:
            found[column] = {name: _measured(own, recipe, column) for name, own in groups.items()}
    return found


def _groups(judged: Sequence[Judgement], cells: Mapping[str, str]) -> dict[str, list[Judgement]]:
    name = _named(cells, [one.case.id for one in judged])
    if name is None:
        return {}
    groups: dict[str, list[Judgement]] = defaultdict(list)
    for one in judged:
        groups[name[one.case.id]].append(one)
    return dict(sorted(groups.items()))


def _named(cells: Mapping[str, str], cases: Sequence[str]) -> dict[str, str] | None:
    """The group of each case; None where the column parts nothing."""
    texts = {case: cells[case] for case in cases}
    if len(set(texts.values())) <= MOST_VALUES:
        return texts
    try:
        numbers = {case: float(text) for case, text in texts.items()}
    except ValueError:
        return None
    edges = np.unique(np.quantile(list(numbers.values()), np.linspace(0, 1, PARTS + 1)[1:-1]))
    places = {case: int(np.searchsorted(edges, value)) for case, value in numbers.items()}
    ends = [f"{edge:g}" for edge in edges]
    words = [f"up to {ends[0]}", *(f"{a} to {b}" for a, b in pairwise(ends))]
    words.append(f"above {ends[-1]}")
    return {case: f"{place + 1}: {words[place]}" for case, place in places.items()}


def _measured(own: Sequence[Judgement], recipe: Recipe, column: str) -> dict[str, Any]:
    patients = len({one.case.patient for one in own})
    told: dict[str, Any] = {"patients": patients, "cases": len(own), "metrics": {}}
    if patients >= LEAST:
        seed = seed_of(recipe.protocol.seed, "subgroup", column)
        repeats = recipe.evaluate.bootstrap
        intervals = measure(scores_of(own), only=SHOWN, repeats=repeats, seed=seed)
        told["metrics"] = {name: one.to_json() for name, one in intervals.items()}
    return told

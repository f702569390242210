"""What masks of series come to over the cases of a run."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from wholecase.answer import Judgement
from wholecase.cohort import Case
from wholecase.experiment.localised import of_lesion_slices, write_localisation
from wholecase.explain import LesionSlices
from wholecase.recipes import read_recipe
from wholecase.runs import RunFolder, read_rows

RECIPE = read_recipe("brain-mets-ct")
FOUND = LesionSlices(20, 3, 0.8, 1, 0.5, 0.1, 1.0, 0.25)


def judged(name: str, target: int, decision: int, lesions: LesionSlices | None) -> Judgement:
    case = Case(name, f"patient of {name}", (), target=target)
    share = np.array([0.5, 0.5])
    auc = None if lesions is None else lesions.auc
    said = Judgement(case, ("none", "metastasis"), 0, share, share, decision)
    return replace(said, localisation=auc, lesions=lesions)


CASES = [
    judged("a", 1, 1, FOUND),
    judged("b", 1, 1, replace(FOUND, first_rank=5, map_share=None, pointing=None)),
    judged("c", 1, 0, replace(FOUND, map_share=0.2)),
    judged("d", 0, 0, None),
]


def test_the_share_is_of_true_positives_and_of_patients() -> None:
    told = of_lesion_slices(CASES, RECIPE)
    assert (told["cases"], told["true_positives"]) == (3, 2)
    assert (told["among_first"]["value"], told["among_first"]["n"]) == (0.5, 2)
    assert told["map_share"]["value"] == pytest.approx(0.35)
    assert told["map_share"]["n"] == 2
    assert 0 <= told["among_first"]["low"] < 0.5 < told["among_first"]["high"] <= 1
    assert of_lesion_slices(CASES[3:], RECIPE) == {}


def test_the_table_keeps_its_columns_and_grows_where_series_have_masks(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    write_localisation(run, CASES)
    rows = read_rows(tmp_path / "localisation.csv")
    assert [row["case_id"] for row in rows] == ["a", "b", "c"]
    assert [*rows[0]][:4] == ["case_id", "patient_id", "localisation_auc", "slices"]
    assert (rows[1]["first_rank"], rows[1]["map_share"]) == ("5", "")
    planar = replace(CASES[0], lesions=None)
    write_localisation(run, [planar, CASES[3]])
    assert [*read_rows(tmp_path / "localisation.csv")[0]] == [*rows[0]][:3]

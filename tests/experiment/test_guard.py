"""A cohort that leaks does not begin to learn; one that does not, does."""

import json

import numpy as np
import pytest
from PIL import Image

from toys.quick import PICTURES
from wholecase.core.errors import SplitError
from wholecase.execution import Place
from wholecase.experiment import Settings, run
from wholecase.recipes import read_recipe

CASES = 12
CHANGES = (
    *PICTURES,
    "protocol={kind: nested, folds: 2, validation: 0.34}",
    "evaluate={bootstrap: 100, pictures: 0}",
)


def cohort(folder, copies=(), names=None):
    """Pictures that differ; of each pair in `copies` the second is made from the first."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    names = names or [f"{i}.png" for i in range(CASES)]
    for name in names:
        small = rng.integers(0, 255, (12, 12, 3)).astype(np.uint8)
        Image.fromarray(small).resize((96, 96), Image.Resampling.BICUBIC).save(folder / name)
    for (one, other), change in copies:
        with Image.open(folder / names[one]) as first:
            change(first.copy(), folder / names[other])
    rows = ["case_id,patient_id,path,kind,label"]
    rows += [f"c{i},p{i},{name},still,{'ab'[i % 2]}" for i, name in enumerate(names)]
    (folder / "cohort.csv").write_text("\n".join(rows) + "\n")
    return folder / "cohort.csv"


def splits(folder):
    """The first six are tested by fold 0, the others by fold 1."""
    lines = ["case_id,patient_id,fold,side"]
    for fold in (0, 1):
        for i in range(CASES):
            tested = (i >= CASES // 2) == bool(fold)
            side = "test" if tested else "valid" if i % 6 > 3 else "train"
            lines.append(f"c{i},p{i},{fold},{side}")
    (folder / "splits.csv").write_text("\n".join(lines) + "\n")
    return folder / "splits.csv"


def begin(folder, manifest, *changes):
    recipe = read_recipe("metric-ensemble", [*CHANGES, *changes])
    settings = Settings(folder / "run", splits=splits(folder), place=Place(workers=0))
    return run(recipe, manifest, settings)


def turned(picture, path):
    """Turned, mirrored, smaller, and compressed anew."""
    side = picture.transpose(Image.Transpose.ROTATE_90).transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    side.resize((80, 80)).save(path.with_suffix(".jpg"), quality=75)
    with Image.open(path.with_suffix(".jpg")) as worse:
        worse.save(path)


def again(picture, path):
    picture.save(path)


def test_a_turned_and_recompressed_copy_under_another_id_stops_before_the_first_step(tmp_path):
    manifest = cohort(tmp_path / "data", [((0, 7), turned)])
    with pytest.raises(
        SplitError, match=r"fold 0: .*0\.png \(case 'c0'.*test side.*'c7'.*same pic"
    ):
        begin(tmp_path, manifest)
    told = json.loads((tmp_path / "run" / "copies.json").read_text())
    assert (told["images"], told["compared"]) == (CASES, CASES)
    assert {(one["fold"], *one["cases"]) for one in told["pairs"]} == {
        (0, "c0", "c7"),
        (1, "c0", "c7"),
    }
    assert not (tmp_path / "run" / "folds").exists()


def test_a_file_under_two_patients_and_tiles_of_one_slide_stop_too(tmp_path):
    manifest = cohort(tmp_path / "data", [((0, 7), again)])
    with pytest.raises(SplitError, match="same image on two sides"):
        begin(tmp_path, manifest)
    names = [f"slide{'A' if i in {1, 8} else i}_x{100 + i}_y{200 + i}.png" for i in range(CASES)]
    other = tmp_path / "other"
    other.mkdir()
    manifest = cohort(other / "data", names=names)
    with pytest.raises(SplitError, match="of one slide or patient by their names"):
        begin(other, manifest)


def test_a_clean_cohort_passes_and_a_forced_one_carries_its_mark(tmp_path):
    clean, forced = tmp_path / "clean", tmp_path / "forced"
    clean.mkdir()
    forced.mkdir()
    done = begin(clean, cohort(clean / "data", [((0, 1), turned)]))  # both on one side
    of_sides = next(one for one in done.metrics["checks"] if one["code"] == "WC001")
    assert of_sides["state"] == "passed"
    assert "12 of them by what they show" in of_sides["sentence"]
    assert "Copies on two sides" not in done.run.report.read_text()
    why = "evaluate={bootstrap: 100, pictures: 0, muted: {WC001: to see what a leak is worth}}"
    done = begin(forced, cohort(forced / "data", [((0, 7), turned)]), why)
    of_sides = next(one for one in done.metrics["checks"] if one["code"] == "WC001")
    assert (of_sides["state"], of_sides["reason"]) == ("muted", "to see what a leak is worth")
    page = done.run.report.read_text()
    drawn = page.count('<div class="drawing') + page.count('<div class="multiples">')
    assert page.count('<p class="mark">Copies on two sides') > drawn, "and every table"
    assert "**Copies on two sides: not a measure of new patients**" in done.run.results.read_text()
    assert done.metrics["notes"][0].startswith("WC001: ")
    assert "Copies on two sides" in done.run.figure("roc.svg").read_text()

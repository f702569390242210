"""The pictures of a series, whatever its slices are kept in."""

from dataclasses import replace
from pathlib import Path

import nibabel
import numpy as np
import pytest
from PIL import Image as Picture

from wholecase.answer import Judgement, Sitting, draw
from wholecase.answer.series_pictures import CELL_PX
from wholecase.cohort import Case, Image
from wholecase.core.errors import SourceError
from wholecase.core.files import safe_name
from wholecase.experiment import draw_answer
from wholecase.explain import GRAD_CAM, Evidence, read_evidence, write_evidence
from wholecase.recipes import read_recipe
from wholecase.runs import RunFolder, read_rows

SLICES, HEIGHT, WIDTH = 5, 20, 30
WINDOW = (0.0, 80.0)


def grey(number: int) -> int:
    """Of a whole slice, in 0 to 255."""
    return 40 * number + 20


def as_volume(folder: Path) -> tuple[Image, ...]:
    units = np.full((WIDTH, HEIGHT, SLICES), -1000.0, np.float32)
    for z in range(SLICES):
        units[:, :, z] = grey(z) * 80 / 255
    units[:, 0] = -1000.0  # every scan holds air
    made = nibabel.Nifti1Image(units, np.diag([-0.5, -0.5, 5.0, 1.0]))
    nibabel.save(made, folder / "head.nii.gz")
    return (Image(folder / "head.nii.gz", "ct", 2),)


def as_folder(folder: Path) -> tuple[Image, ...]:
    for z in range(SLICES):
        Picture.new("L", (WIDTH, HEIGHT), grey(z)).save(folder / f"s{z + 8}.png")
    return (Image(folder, "ct", 2),)


def as_rows(folder: Path) -> tuple[Image, ...]:
    as_folder(folder)
    return tuple(
        Image(folder / f"s{z + 8}.png", "tile", 2 + z, order=float(z)) for z in range(SLICES)
    )


def sitting(folder: Path, make) -> Sitting:
    """The fourth slice decides."""
    slices = folder / "slices"
    slices.mkdir()
    images = make(slices)
    by_image = len(images) > 1
    numbers = np.arange(SLICES)
    alone = np.array([0.1, 0.5, 0.3, 0.9, 0.2])
    maps = np.zeros((SLICES, 2, 3), np.float32)
    maps[3, 0, 0] = 1.0
    position = np.full((SLICES, 3), np.nan, np.float32)
    if make is as_volume:
        position[:] = np.stack([np.full(5, 7500), np.full(5, 5000), 5000 * numbers], 1)
    evidence = Evidence(
        weights=(numbers == 3).astype(np.float32)[:, None],
        scores=np.zeros((SLICES, 1)),
        image=numbers if by_image else np.zeros(SLICES, np.int64),
        box_px=np.tile([0, 0, WIDTH, HEIGHT], (SLICES, 1)),
        position_um=position,
        logits=np.zeros((SLICES, 1)),
        plane=None if by_image else numbers,
        alone=np.stack([1 - alone, alone], 1),
        maps={GRAD_CAM: maps},
    )
    run = RunFolder(folder / "run")
    write_evidence(run.evidence("c"), evidence)
    return Sitting(Case("c", "p", images), run, WINDOW)


@pytest.mark.parametrize("make", [as_volume, as_folder, as_rows])
def test_the_deciding_slice_first_and_all_slices_on_a_sheet(tmp_path: Path, make) -> None:
    asked = sitting(tmp_path, make)
    drawn = draw(asked)
    assert [one["slice"] for one in drawn["slices"]] == [4, 2, 3, 5]
    first = drawn["slices"][0]
    assert (first["of"], first["rank"], first["weight"]) == (5, 1, 1.0)
    assert first["probability"] == pytest.approx(0.9)
    assert first["position_mm"] == (15.0 if make is as_volume else None)

    def read(path: str) -> np.ndarray:
        with Picture.open(asked.run.root / path) as picture:
            return np.asarray(picture.convert("RGB")).astype(int)

    plain, mapped = read(drawn["thumbnail"]), read(drawn["maps"][GRAD_CAM])
    assert plain.shape[:2] == mapped.shape[:2] == (260, 390), "the slice's proportions"
    assert abs(plain[200, 300] - grey(3)).max() < 4
    assert abs(mapped[200, 380] - grey(3)).max() < 4, "nothing is seen where the map is dark"
    assert np.ptp(mapped[40, 40]) > 40, "and colour where it is not"
    others = [read(one["picture"]) for one in drawn["slices"]]
    assert [round(int(p[200, 380, 0]) - 20, -1) // 40 for p in others] == [3, 1, 2, 4]
    assert all(np.ptp(p, axis=-1).max() < 4 for p in others[1:]), "no map where there is no say"
    sheet = read(drawn["series"]["sheet"])
    assert sheet.shape[:2] == (CELL_PX, SLICES * CELL_PX)
    middles = sheet[CELL_PX // 2, CELL_PX // 2 :: CELL_PX, 0]
    assert abs(middles - [grey(z) for z in range(SLICES)]).max() < 4
    assert [one["slice"] for one in drawn["series"]["slices"]] == [1, 2, 3, 4, 5]


def test_slices_that_a_person_marked_are_told(tmp_path: Path) -> None:
    asked = sitting(tmp_path, as_folder)
    drawn = draw(replace(asked, marked=(1, 2)))
    assert [one["marked"] for one in drawn["series"]["slices"]] == [False, True, True, False, False]
    assert [one["marked"] for one in drawn["slices"]] == [False, True, True, False]


def test_a_judgement_draws_its_series_whole(tmp_path: Path) -> None:
    asked = sitting(tmp_path, as_volume)
    evidence = read_evidence(asked.run.evidence("c"))
    shares = np.array([0.1, 0.9])
    said = Judgement(asked.case, ("none", "metastasis"), 0, shares, shares, 1, evidence)
    picture = said.heatmap()
    assert picture.shape[1] >= SLICES * 128
    assert {*range(SLICES)} <= {round((int(v) - 20) / 40) for v in np.unique(picture[104, :, 0])}


def test_a_slice_that_is_gone_is_left_out_and_the_first_is_missed(tmp_path: Path) -> None:
    asked = sitting(tmp_path, as_rows)
    asked.case.images[1].path.unlink()
    drawn = draw(asked)
    assert [one["slice"] for one in drawn["slices"]] == [4, 3, 5]
    assert len(drawn["series"]["slices"]) == 5
    asked.case.images[3].path.unlink()
    with pytest.raises(SourceError, match=r"slice 4 of 5, which comes first, cannot be read"):
        draw(asked)


def test_explain_writes_deciding_slices_the_series_and_a_table(tmp_path: Path) -> None:
    asked = sitting(tmp_path, as_volume)
    evidence, recipe = read_evidence(asked.run.evidence("c")), read_recipe("brain-mets-ct")
    written = draw_answer(
        asked.case, evidence, tmp_path / "out", recipe=recipe, scale="auto", longest_px=99
    )
    names = [path.name for path in written]
    assert names == [
        f"{safe_name('c')}-{what}" for what in ("deciding.png", "series.png", "slices.csv")
    ]
    rows = read_rows(tmp_path / "out" / names[-1])
    assert [row["slice"] for row in rows] == ["4", "2", "3", "5", "1"]
    assert [row["rank"] for row in rows] == list("12345")
    assert float(rows[0]["position_mm"]) == 15.0

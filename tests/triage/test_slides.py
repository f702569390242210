"""A patch model that was taught goes over drawn slides: it finds what was planted."""

import shutil
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import Image as Picture

from toys.patch_run import SIDE_PX, SPACING_UM, teach
from toys.terminal import interrupted
from wholecase.answer import FoldModel, TrainedRun, load_run
from wholecase.assemble import labels_of, model_of
from wholecase.cli import main
from wholecase.cohort import Case, Cohort, Image, read_cohort
from wholecase.core.errors import RunError
from wholecase.core.files import read_json, write_json
from wholecase.core.geojson import read_polygons
from wholecase.execution import Again
from wholecase.explain import localisation_auc, mask_share
from wholecase.models import predict
from wholecase.phantoms import draw_slides
from wholecase.phantoms.pyramid import write_pyramid
from wholecase.recipes import read_recipe
from wholecase.runs import read_rows
from wholecase.sources import open_source, read_box
from wholecase.training import Choices, Example, pack
from wholecase.triage import judging as module
from wholecase.triage.judging import Triaged, TriageSettings, triage
from wholecase.triage.slide_files import names_of
from wholecase.triage.window import TrainedAt, trained_at

STRIDE_PX = 24


@pytest.fixture(scope="module")
def slides(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight slides; those of six teach, the last two are of other patients."""
    folder = tmp_path_factory.mktemp("slides")
    return draw_slides(folder, cases=8, seed=3, size_um=(1000.0, 800.0))


@pytest.fixture(scope="module")
def trained(slides: Path, tmp_path_factory: pytest.TempPathFactory) -> TrainedRun:
    run = teach(tmp_path_factory.mktemp("run"), slides, slice(0, 6))
    return load_run(run.root, "cpu")


@pytest.fixture(scope="module")
def new(slides: Path, trained: TrainedRun) -> Cohort:
    """The two slides that taught nothing: without nests, and with."""
    cohort = read_cohort(slides, labels_of(trained.recipe))
    return replace(cohort, cases=cohort.cases[6:])


@pytest.fixture(scope="module")
def done(
    trained: TrainedRun, new: Cohort, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, tuple[Triaged, ...]]:
    out = tmp_path_factory.mktemp("triage")
    return out, triage(trained, new, settings(out))


def settings(out: Path, stride_px: int = STRIDE_PX, workers: int = 0) -> TriageSettings:
    return TriageSettings(out, TrainedAt(SIDE_PX, SPACING_UM), stride_px, workers)


def content(out: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((out / "slides").iterdir())}


def test_the_map_points_at_the_planted_nests(done: tuple[Path, tuple[Triaged, ...]]) -> None:
    out, (without, with_nests) = done
    assert (without.case.label, with_nests.case.label) == ("wild-type", "mutated")
    drawn = with_nests.map
    assert drawn is not None
    assert without.map is not None
    assert with_nests.image.mask is not None
    share = mask_share(with_nests.image.mask, drawn.raster.size_px, drawn.raster.cells())
    judged = np.isfinite(drawn.grid).ravel()
    auc = localisation_auc(drawn.grid.ravel()[judged].astype(float), share[judged])
    assert auc is not None
    assert auc > 0.9
    assert drawn.risk > without.map.risk + 0.2
    nests_mm2 = float((share.reshape(drawn.raster.shape) * drawn.raster.areas_mm2()).sum())
    assert drawn.tumour_mm2 == pytest.approx(nests_mm2, rel=0.4)
    shares = [one.tumour_mm2 / one.tissue_mm2 for one in (drawn, without.map)]
    assert shares[0] > 1.5 * shares[1]
    regions = read_polygons(out / "slides" / f"{with_nests.name}-regions.geojson")
    inside = [(x, y) for polygon in regions for x, y in polygon.outer]
    assert np.max(inside, axis=0)[0] <= drawn.raster.size_px[0]


def test_each_cell_says_what_its_own_window_says(
    trained: TrainedRun, done: tuple[Path, tuple[Triaged, ...]]
) -> None:
    _, (_, told) = done
    assert told.map is not None
    raster, grid = told.map.raster, told.map.grid
    chosen = np.argwhere(np.isfinite(grid))[::97].tolist()
    assert len(chosen) > 3
    with open_source(told.image.path, "slide") as source:
        for row, column in chosen:
            box = raster.box((row, row + 1), (column, column + 1))
            pixels = read_box(source, box, (SIDE_PX, SIDE_PX))
            values = torch.from_numpy(pixels).permute(2, 0, 1)[None]
            batch = pack([Example("a", "a", values)])
            (alone,) = predict(trained.members[0].model, [batch])
            # block and window are resampled by themselves, half a pixel apart at most
            assert abs(alone[1] - grid[row, column]) < 0.15


def test_fold_models_are_calibrated_and_averaged(
    trained: TrainedRun, new: Cohort, done: tuple[Path, tuple[Triaged, ...]], tmp_path: Path
) -> None:
    (only,) = trained.members
    members = tuple(
        FoldModel(0, trained.recipe, only.model, Choices(t, c)) for t, c in ((1.0, 0.3), (4.0, 0.7))
    )
    both = replace(trained, members=members)
    told = triage(both, replace(new, cases=new.cases[1:]), settings(tmp_path))[0].map
    before = done[1][1].map
    assert told is not None
    assert before is not None
    assert told.threshold == 0.5
    p = before.grid.astype(np.float64)
    cooler = 1 / (1 + ((1 - p) / p) ** 0.25)
    np.testing.assert_allclose(told.grid, (p + cooler) / 2, atol=1e-5)


def test_killed_and_resumed_gives_the_same_bytes(
    trained: TrainedRun,
    new: Cohort,
    done: tuple[Path, tuple[Triaged, ...]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write, judge, judged = module.write_slide, module.judged, [0]

    def killed(files, *rest) -> None:
        if files.name == new.cases[1].id:
            raise KeyboardInterrupt
        write(files, *rest)

    def counted(trained, pixels, spacing_um) -> tuple[np.ndarray, np.ndarray]:
        judged[0] += len(pixels)
        return judge(trained, pixels, spacing_um)

    monkeypatch.setattr(module, "write_slide", killed)
    with pytest.raises(KeyboardInterrupt):
        triage(trained, new, settings(tmp_path))
    monkeypatch.setattr(module, "write_slide", write)
    monkeypatch.setattr(module, "judged", counted)
    told = triage(trained, new, settings(tmp_path, workers=1))
    assert told[1].map is not None
    assert judged[0] == told[1].map.windows  # the finished slide is not judged again
    assert content(tmp_path) == content(done[0])
    assert not [path for path in (tmp_path / "slides").iterdir() if ".part" in path.name]


def test_a_slide_whose_reader_died_begins_anew(
    trained: TrainedRun,
    new: Cohort,
    done: tuple[Path, tuple[Triaged, ...]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read = module.read

    def broken_off(surveyed, workers):
        events = list(read(surveyed, workers))
        yield from [event for event in events if event.item is surveyed[0]][:-1]
        yield Again(surveyed[0])
        # the others are read on, and it comes last
        yield from sorted(events, key=lambda event: event.item is surveyed[0])

    monkeypatch.setattr(module, "read", broken_off)
    triage(trained, new, settings(tmp_path))
    assert content(tmp_path) == content(done[0])


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="there are no groups of processes")
def test_ctrl_c_tells_what_is_kept(slides: Path, trained: TrainedRun, tmp_path: Path) -> None:
    words = ["triage", trained.folder.root, "--cohort", slides, "--out", tmp_path, "--stride", 8]
    code, errors = interrupted([*words, "--device", "cpu"], "triage: ")
    assert code == 130
    assert errors.splitlines()[-1] == (
        "wholecase: stopped; slides that are finished are kept, and the same command goes on from "
        "there"
    )
    assert "Traceback" not in errors


def test_other_settings_and_other_models_are_judged_anew(
    trained: TrainedRun, new: Cohort, done: tuple[Path, tuple[Triaged, ...]], tmp_path: Path
) -> None:
    out = tmp_path / "copy"
    shutil.copytree(done[0], out)
    one = replace(new, cases=new.cases[1:])
    (wider,) = triage(trained, one, settings(out, stride_px=48))
    assert wider.map is not None
    assert wider.map.raster.stride_px == 48
    (only,) = trained.members
    other = replace(trained, members=(FoldModel(0, trained.recipe, only.model, Choices(1.0, 0.9)),))
    (stricter,) = triage(other, one, settings(out, stride_px=48))
    assert stricter.map is not None
    assert stricter.map.threshold == 0.9
    assert stricter.map.tumour_mm2 < wider.map.tumour_mm2


def test_another_threshold_counts_anew_and_judges_nothing(
    trained: TrainedRun,
    new: Cohort,
    done: tuple[Path, tuple[Triaged, ...]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object) -> np.ndarray:
        raise AssertionError("judged again")

    out = tmp_path / "copy"
    shutil.copytree(done[0], out)
    strict = replace(settings(out), threshold=0.95)
    with monkeypatch.context() as patched:
        patched.setattr(module, "judged", refuse)
        _, told = triage(trained, new, strict)
    before = done[1][1].map
    assert told.map is not None
    assert before is not None
    np.testing.assert_array_equal(told.map.grid, before.grid)
    assert told.map.risk == before.risk
    assert 0 < told.map.tumour_mm2 < before.tumour_mm2
    regions = read_json(out / "slides" / f"{told.name}-regions.geojson")["features"]
    areas = [one["properties"]["measurements"]["area_mm2"] for one in regions]
    assert sum(areas) == pytest.approx(told.map.tumour_mm2)
    triage(trained, new, replace(strict, out=tmp_path / "at once"))
    assert content(out) == content(tmp_path / "at once")
    for threshold in (-0.1, 1.0):
        with pytest.raises(RunError, match=f"--threshold {threshold:g} cannot be"):
            triage(trained, new, replace(strict, threshold=threshold))


def test_a_run_of_stored_features_or_of_three_classes_is_refused(
    trained: TrainedRun, new: Cohort, tmp_path: Path
) -> None:
    with pytest.raises(RunError, match="knows 3 classes"):
        triage(replace(trained, classes=("a", "b", "c")), new, settings(tmp_path))
    blind = model_of(read_recipe("egfr-clam", ("encoder.name=tiny_resnet",)), 8, 2, 1)
    blind_run = replace(
        trained, members=(FoldModel(0, trained.recipe, blind, trained.members[0].choices),)
    )
    with pytest.raises(RunError, match="learnt from stored features"):
        triage(blind_run, new, settings(tmp_path))


def level_0(path: Path) -> np.ndarray:
    with open_source(path, "slide") as source:
        level = source.levels[0]
        size = level.width_px, level.height_px
        return read_box(source, (0, 0, *size), size)


@dataclass(frozen=True)
class Nest:
    """A nest as it is cut out of a slide."""

    pixels: np.ndarray
    inside: np.ndarray

    def on(self, ground: np.ndarray, middle: tuple[int, int]) -> np.ndarray:
        """The ground with this nest around a point (y, x)."""
        top, left = (at - side // 2 for at, side in zip(middle, self.inside.shape, strict=True))
        painted = ground.copy()
        there = painted[top : top + self.inside.shape[0], left : left + self.inside.shape[1]]
        there[self.inside] = self.pixels[self.inside]
        return painted


def largest_nest(case: Case) -> Nest:
    path = case.images[0].mask
    assert path is not None
    mask = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    _, labels, facts, _ = cv2.connectedComponentsWithStats((mask > 0).astype(np.uint8))
    best = 1 + int(np.argmax(facts[1:, cv2.CC_STAT_AREA]))
    left, top, width, height = (16 * int(one) for one in facts[best, :4])
    whole = np.repeat(np.repeat(labels == best, 16, axis=0), 16, axis=1)
    square = slice(top, top + height), slice(left, left + width)
    pixels = level_0(case.images[0].path)[square]
    return Nest(pixels, whole[square][: pixels.shape[0], : pixels.shape[1]])


def roomiest(free: np.ndarray) -> tuple[int, int]:
    room = cv2.distanceTransform(free.astype(np.uint8), cv2.DIST_L2, 3)
    row, column = np.unravel_index(int(np.argmax(room)), room.shape)
    return int(row), int(column)


def test_the_map_moves_with_the_lesion(
    trained: TrainedRun, new: Cohort, done: tuple[Path, tuple[Triaged, ...]], tmp_path: Path
) -> None:
    """One slide without a nest, one nest in it, in two places: only the map around it changes."""
    clean, ill = new.cases
    bare, ground, nest = done[1][0].map, level_0(clean.images[0].path), largest_nest(ill)
    assert bare is not None
    free = np.isfinite(bare.grid)
    step, reach = bare.raster.step, max(nest.inside.shape) / bare.raster.step
    cells = []
    for _ in range(2):
        row, column = roomiest(free)
        cells.append((row, column))
        rows, columns = np.indices(free.shape)
        free &= np.maximum(abs(rows - row), abs(columns - column)) > reach + 2
    cases = []
    for number, (row, column) in enumerate(cells):
        path = tmp_path / f"{number}.tif"
        pixels = nest.on(ground, (int((row + 0.5) * step), int((column + 0.5) * step)))
        write_pyramid(path, pixels, spacing_um=bare.raster.spacing_um, tile_px=256)
        cases.append(Case(str(number), str(number), (Image(path, "slide", 1),)))
    told = triage(trained, replace(new, cases=tuple(cases)), settings(tmp_path))
    rows, columns = np.indices(free.shape)
    for one, (row, column) in zip(told, cells, strict=True):
        assert one.map is not None
        assert one.map.risk > bare.risk + 0.1
        away = np.maximum(abs(rows - row), abs(columns - column))
        both = np.isfinite(one.map.grid) & np.isfinite(bare.grid)
        change = np.where(both, abs(one.map.grid - bare.grid), 0.0)
        assert change[away <= 1].max() > 0.5
        # a second encoding of the ground, and nothing else
        assert np.median(change[(away > reach / 2 + 2) & both]) < 0.02
        grown = np.where(both, one.map.grid - bare.grid, 0.0)
        near, far = away <= reach / 2, away > reach / 2 + 2
        assert grown[near].mean() > 0.2 + 4 * abs(grown[far].mean())


def damaged(new: Cohort, folder: Path) -> Cohort:
    """A good slide among one cut short, one that is missing, and one of blank glass."""
    good = new.cases[1]
    broken, blank = folder / "broken.tif", folder / "blank.png"
    whole = bytearray(good.images[0].path.read_bytes())
    whole[len(whole) // 8 : len(whole) // 2] = bytes(len(whole) // 2 - len(whole) // 8)
    broken.write_bytes(whole)
    Picture.fromarray(np.full((700, 900, 3), 245, np.uint8)).save(blank)
    bad = [
        Case(name, name, (Image(path, kind, 9, mpp=0.5),), "wild-type", 0)
        for name, path, kind in (
            ("broken", broken, "slide"),
            ("missing", folder / "missing.svs", "slide"),
            ("blank", blank, "tile"),
        )
    ]
    return replace(new, cases=(bad[0], good, *bad[1:]))


def test_a_bad_slide_costs_itself_with_its_reason(
    trained: TrainedRun, new: Cohort, tmp_path: Path
) -> None:
    cohort = damaged(new, tmp_path)
    told = triage(trained, cohort, settings(tmp_path / "out", stride_px=48, workers=1))
    assert [one.case.id for one in told] == [case.id for case in cohort.cases]
    broken, good, missing, blank = told
    assert good.reason is None
    assert good.map is not None
    assert broken.reason is not None
    assert "cannot be decoded" in broken.reason
    assert missing.reason is not None
    assert "missing.svs" in missing.reason
    assert blank.reason is not None
    assert "no tissue" in blank.reason
    assert len(content(tmp_path / "out")) == 3


def test_an_outline_of_the_manifest_goes_first(
    trained: TrainedRun, new: Cohort, tmp_path: Path
) -> None:
    outline = tmp_path / "outline.geojson"
    ring = [[400, 400], [900, 400], [900, 700], [400, 700], [400, 400]]
    write_json(outline, {"type": "Polygon", "coordinates": [ring]})
    case = new.cases[1]
    drawn = replace(case, images=(replace(case.images[0], tissue=outline),))
    (told,) = triage(trained, replace(new, cases=(drawn,)), settings(tmp_path, stride_px=48))
    assert told.map is not None
    rows, columns = np.nonzero(np.isfinite(told.map.grid))
    step = told.map.raster.step
    assert rows.min() == 400 // step
    assert columns.max() == 899 // step


def test_no_two_slides_share_a_name() -> None:
    image = Image(Path("a.svs"), "slide", 1)
    cases = (
        *(Case(name, name, (image,)) for name in ("a-0", "b", "B")),
        Case("a", "a", (image, image)),
    )
    names = [name for _, _, name in names_of(cases)]
    assert len({name.lower() for name in names}) == 5
    assert names[1] == "b"


def test_the_spacing_of_training_is_asked_for_where_it_is_not_known(
    trained: TrainedRun, tmp_path: Path
) -> None:
    assert trained_at(trained) == TrainedAt(48, 0.97) == trained_at(trained, 0.97)
    with pytest.raises(RunError, match=r"not at 0\.5"):
        trained_at(trained, 0.5)
    root = tmp_path / "run"
    shutil.copytree(trained.folder.root, root)
    facts = read_json(root / "run.json")
    for instance, given, match in (
        ({"side_px": 48, "spacing_um": None}, None, "give it in µm per pixel with --spacing"),
        ({"side_px": 48, "spacing_um": None}, 96.0, "--spacing 96 cannot be"),
        (None, 0.97, "run again"),
    ):
        write_json(root / "run.json", facts | {"instance": instance})
        with pytest.raises(RunError, match=match):
            trained_at(load_run(root, "cpu"), given)
    write_json(root / "run.json", facts | {"instance": {"side_px": 48, "spacing_um": None}})
    assert trained_at(load_run(root, "cpu"), 1.1) == TrainedAt(48, 1.1)


def test_the_command_ranks_slides_and_tells_what_could_be_set_aside(
    slides: Path, trained: TrainedRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Twice the new patients under other names, one known one, and a file that is not there."""
    rows = read_rows(slides)
    told = [rows[0], *rows[6:], *({**r, "patient_id": r["patient_id"] + "x"} for r in rows[6:])]
    told.append({**rows[6], "path": "slides/gone.tif", "patient_id": "gone"})
    lines = ["case_id,patient_id,path,label,kind"]
    for number, row in enumerate(told):
        path = slides.parent / row["path"]
        lines.append(f"c{number},{row['patient_id']},{path},{row['label']},slide")
    cohort, out = tmp_path / "cohort.csv", tmp_path / "out"
    cohort.write_text("\n".join(lines) + "\n")
    words = ["triage", trained.folder.root, "--cohort", cohort, "--out", out, "--stride", 48]
    with pytest.raises(SystemExit) as left:
        main([str(word) for word in [*words, "--workers", 1, "--device", "cpu"]])
    assert left.value.code == 2
    printed = capsys.readouterr().out
    assert "5 of 6 slides judged" in printed
    first = printed.splitlines()[1].split()
    assert (first[0], first[-1]) == ("1", read_rows(out / "triage.csv")[0]["case_id"])
    assert "One of 2 positive cases is 50.0 % of them: 95 and 98 %" in printed
    assert "1 labelled cases belong to patients of the run, or are slides" in printed
    assert "1 labelled cases have a slide that could not be judged" in printed
    assert "at 95 % sensitivity: 50.0 %" in printed
    assert "chosen on the very cases" in printed
    ranked = read_rows(out / "triage.csv")
    assert [row["rank"] for row in ranked] == ["1", "2", "3", "4", "5", ""]
    assert "gone.tif" in ranked[-1]["reason"]
    by_case = {row["case_id"]: row for row in ranked}
    assert by_case["c0"]["seen"] == "patient"
    assert {by_case[name]["seen"] for name in ("c1", "c2", "c3", "c4")} == {""}
    # windows lie anywhere, at edges of tissue too; the patches that taught were chosen
    assert all(float(row["unlike_share"]) < 0.5 for row in ranked[:-1])
    assert {row["unlike"] for row in ranked} == {"0", ""}
    risks = [float(row["risk"]) for row in ranked[:-1]]
    assert risks == sorted(risks, reverse=True)
    assert ranked[3]["case_id"] in {"c1", "c3"}  # without nests
    metrics = read_json(out / "triage.json")
    assert metrics["auroc"]["value"] == 1.0
    assert (metrics["cases"], metrics["patients"], metrics["positive_cases"]) == (4, 4, 2)
    assert metrics["settings"]["spacing_um"] == 0.97
    assert (out / "slides" / "c0-map.png").is_file()


@pytest.mark.data
def test_a_real_slide_between_two_levels(trained: TrainedRun, shared: Path, tmp_path: Path) -> None:
    path = shared / "data" / "wsi-small" / "slides" / "CMU-1-Small-Region.svs"
    case = Case("cmu", "cmu", (Image(path, "slide", 1),))
    cohort = Cohort(path, (case,), ())
    (told,) = triage(trained, cohort, settings(tmp_path, stride_px=48))
    assert told.map is not None
    assert told.map.is_unlike  # skin, of which a model of drawn nests knows nothing
    assert told.seen == ""
    raster = told.map.raster
    assert raster.factor == pytest.approx(0.97 / 0.499)
    assert raster.shape == (32, 24)
    values = told.map.grid[np.isfinite(told.map.grid)]
    assert ((values >= 0) & (values <= 1)).all()
    assert np.ptp(values) > 0.01
    whole_mm2 = 2220 * 2967 * 0.499e-3**2
    assert 0.3 * whole_mm2 < told.map.tissue_mm2 <= whole_mm2

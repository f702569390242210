"""A series on its case's page: who decides stands first, and every slice has its score."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from wholecase.core.files import write_json
from wholecase.report import write_report
from wholecase.report.case_series import shown_series
from wholecase.report.read import read_run
from wholecase.runs import RunFolder, read_rows, write_rows

SLICES, COLUMNS = 30, 8


def told(number: int, rank: int, weight: float = 0.0, **more: object) -> dict[str, object]:
    return {
        "slice": number,
        "of": SLICES,
        "series": None,
        "position_mm": 5.0 * number - 50,
        "probability": number / 100,
        "weight": weight,
        "rank": rank,
        **more,
    }


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, make_run, wish) -> RunFolder:
    folder = make_run(
        tmp_path_factory.mktemp("runs") / "series",
        wish(cases=10, folds=1, pictures=False, opinions=False),
    )
    (folder.root / "pictures").mkdir()
    rng = np.random.default_rng(1)
    sizes = {"thumbnail": (64, 64), "sheet": (4 * 96, COLUMNS * 96)}
    for name, (tall, wide) in sizes.items():
        pixels = rng.integers(0, 256, (tall, wide, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder.root / f"pictures/{name}.jpg")
    picture = "pictures/thumbnail.jpg"
    slices = [told(n + 1, SLICES - n, float(n == SLICES - 1)) for n in range(SLICES)]
    leading = [{**one, "picture": picture} for one in slices[::-1][:4]]
    entry = {
        "thumbnail": picture,
        "maps": {"grad-cam": picture},
        "slices": leading,
        "series": {"sheet": "pictures/sheet.jpg", "columns": COLUMNS, "slices": slices},
    }
    rows = read_rows(folder.predictions)
    write_json(folder.pictures, {row["case_id"]: entry for row in rows})
    return folder


def case_page(folder: RunFolder, case: str) -> str:
    text = write_report(folder.root).read_text(encoding="utf-8")
    start = text.index(f'id="case-{case}"')
    return text[start : text.index("</article>", start)].replace("\u00a0", " ")


def test_the_deciding_slice_is_named_with_its_place_and_what_it_says(run: RunFolder) -> None:
    page = case_page(run, "case-001")
    alts = re.findall(r'<img [^>]*alt="(.*?)"', page)
    assert "slice 30 of 30, at 100.0 mm, with Grad-CAM" in alts
    assert "slice 29 of 30, at 95.0 mm" in alts
    assert page.count("has no say") == 3
    assert "Slice 30 of 30, at 100.0 mm, which decides" in page


def test_every_slice_stands_in_order_with_a_bar_as_long_as_its_probability(run: RunFolder) -> None:
    page = case_page(run, "case-001")
    labels = re.findall(r'class="slice" role="img" aria-label="(.*?)"', page)
    assert labels[0] == "slice 1 of 30, at −45.0 mm: probability 0.01"
    assert labels[-1] == "slice 30 of 30, at 100.0 mm: probability 0.30, decides"
    strip = page[page.index('<ol class="series"') :]
    bars = re.findall(r'<i style="width:([\d.]+)%"', strip[: strip.index("</ol>")])
    assert [float(bar) for bar in bars] == pytest.approx(list(range(1, SLICES + 1)))
    assert "All 30 slices" in page
    assert page.count("--sheet:url(data:image/jpeg") == 1


def test_each_slice_looks_at_its_own_square_of_the_sheet(run: RunFolder) -> None:
    pictures = read_run(run.root).pictures["case-001"]
    series = shown_series(pictures, [], "data:")
    assert series is not None
    assert series.size == "800% 400%"
    for i, one in enumerate(series.slices):
        across, down = (float(part.rstrip("%")) / 100 for part in one.at.split())
        # a background of n times the width is moved by (n - 1) widths at 100 %
        assert (across * 7, down * 3) == pytest.approx((i % COLUMNS, i // COLUMNS), abs=1e-3)


def test_slices_in_which_the_finding_is_marked_are_told(run: RunFolder) -> None:
    pictures = json.loads(run.pictures.read_text())
    pictures["case-003"]["series"]["slices"][6]["marked"] = True
    write_json(run.pictures, pictures)
    page = case_page(run, "case-003")
    assert "slice 7 of 30, at −15.0 mm: probability 0.07, the finding is marked in it" in page
    assert "finding marked by a person" in page
    assert "finding marked by a person" not in case_page(run, "case-004")


def test_a_thinned_series_says_so_and_a_case_without_one_has_none(run: RunFolder) -> None:
    pictures = read_run(run.root).pictures["case-001"]

    series = shown_series(replace(pictures, series=pictures.series[::3]), [], "data:")
    assert series is not None
    assert (len(series.slices), series.of) == (10, SLICES)
    assert shown_series(replace(pictures, series=()), [], "data:") is None


def test_a_run_without_scores_shows_the_slices_without_bars(run: RunFolder) -> None:
    pictures = read_run(run.root).pictures["case-001"]

    bare = tuple(replace(one, probability=None) for one in pictures.series)
    series = shown_series(replace(pictures, series=bare), [], "data:")
    assert series is not None
    assert not series.has_scores


def test_what_masks_say_of_slices_and_places_is_told(run: RunFolder) -> None:
    metrics = json.loads(run.metrics.read_text())
    found = {"value": 0.75, "low": 0.5, "high": 0.9, "n": 12}
    even = {"value": 0.03, "low": None, "high": None, "n": 12}
    metrics["lesion_slices"] = {
        "cases": 12,
        "true_positives": 9,
        "among_first": found,
        "map_share": found,
        "map_chance": even,
        "pointing": found,
        "pointing_chance": even,
    }
    write_json(run.metrics, metrics)
    row = {"case_id": "case-001", "slices": 30, "lesions": 4, "first_rank": 2}
    write_rows(run.localisation, list(row), [row])
    assert "4 of 30, the first of them at rank 2" in case_page(run, "case-001")
    assert "the first of them" not in case_page(run, "case-002")
    text = write_report(run.root).read_text(encoding="utf-8")
    assert "75 % have a marked slice among the two highest (95 % interval 0.50–0.90" in text
    assert "75 % of Grad-CAM lies in the finding" in text
    assert "3 % if it were even; its highest point touches the finding in 75 %, by chance" in text
    assert "a place inside it gets more weight" not in text

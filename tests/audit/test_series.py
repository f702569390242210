"""What `check` tells of CT series: slices, copies, and a strip of each."""

import base64
import re
import shutil

import cv2
import numpy as np
import pytest

from wholecase.audit import check_cohort, render_text, write_page
from wholecase.audit.strips import SLICE_PX, SLICES, strip_of
from wholecase.cohort import read_cohort
from wholecase.core.kinds import CT, RGB
from wholecase.phantoms import draw_ct
from wholecase.sources import as_picture


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    return draw_ct(tmp_path_factory.mktemp("ct"), patients=4, seed=5, side_px=48, reach_mm=60.0)


@pytest.fixture(scope="module")
def audit(drawn):
    return check_cohort(read_cohort(drawn, None), workers=0)


def test_slices_and_distances_are_counted(audit):
    assert sum(row.series for row in audit.slices) == len(audit.series) == 4
    assert {row.slices for row in audit.slices} <= {12, 15, 24}
    assert all(row.step_um == pytest.approx(60_000 / row.slices, rel=0.1) for row in audit.slices)
    assert not audit.failed
    told = render_text(audit)
    assert "12, 5 mm apart" in told
    assert "scouts" in told
    assert "read in part" not in told, "a series that was chosen is whole"
    assert {finding.severity for finding in audit.findings if "series " in finding.what} == {
        "remark"
    }
    assert re.search(r"Errors: 0, warnings: \d+, remarks: \d+\.\n$", told)
    assert "too many to compare" not in told


def test_a_series_under_two_patients_is_found_whatever_its_files_are_called(drawn, tmp_path):
    first = drawn.parent / "series/phantom-001"
    for name in ("one", "two"):
        shutil.copytree(first, tmp_path / name)
    for number, file in enumerate(sorted((tmp_path / "two").iterdir())):
        file.rename(file.with_name(f"slice{number}"))
    rows = ["case_id,patient_id,path,label,kind", "a,pa,one,none,ct", "b,pb,two,none,ct"]
    (tmp_path / "cohort.csv").write_text("\n".join(rows), encoding="utf-8")
    found = check_cohort(read_cohort(tmp_path / "cohort.csv", None), workers=0).findings
    (same,) = (finding for finding in found if finding.severity == "error")
    assert (same.problem, same.costs) == ("same series under two patients", "run")


def test_the_page_shows_a_strip_of_each_series(audit, tmp_path):
    text = write_page(audit, tmp_path / "check.html").read_text(encoding="utf-8")
    strips = re.findall(r'class="strip"[^>]*>\s*<img src="data:image/jpeg;base64,([^"]+)"', text)
    assert len(strips) == 4
    for strip in strips:
        pixels = cv2.imdecode(np.frombuffer(base64.b64decode(strip), np.uint8), cv2.IMREAD_COLOR)
        assert pixels.shape == (SLICE_PX, SLICES * SLICE_PX, 3)
        assert np.ptp(pixels) > 200


def test_a_strip_shows_the_head_from_below_upwards(audit):
    strip = strip_of(audit.series[0])
    parts = np.split(strip, SLICES, axis=1)
    bone = [(part == 255).all(axis=2).mean() for part in parts]
    assert bone[0] > bone[-1]


def test_hounsfield_units_are_shown_by_the_window_for_brain():
    units = np.array([[[-1000], [0], [20], [40], [80], [2000]]], np.int16)
    assert as_picture(units, CT)[0, :, 0].tolist() == [0, 0, 64, 128, 255, 255]
    light = np.zeros((2, 2, 3), np.uint8)
    assert as_picture(light, RGB) is light

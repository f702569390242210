"""Pictures in HDF5 files: looked at in bulk, with the findings that single files would give."""

import h5py
import numpy as np
import pytest
from PIL import Image as Picture

from wholecase.audit import check_cohort, look, render_text
from wholecase.cohort import Labels, read_cohort, read_leniently

LABELS = Labels(classes=(("no", ("no",)), ("yes", ("yes",))))
SIZE = 48


@pytest.fixture
def pictures():
    return np.random.default_rng(1).integers(0, 256, (SIZE, 40, 40, 3), dtype=np.uint8)


@pytest.fixture
def make(tmp_path):
    """A cohort of a picture a patient, in one file or each in its own, and further rows."""

    def build(pictures, *rows, single=False, **how):
        with h5py.File(tmp_path / "x.h5", "w") as file:
            file.create_dataset("x", data=pictures, **how)
        lines = ["case_id,patient_id,path,label,kind,mpp"]
        for i, pixels in enumerate(pictures):
            path = f"{i}.png" if single else f"x.h5#{i}"
            if single:
                Picture.fromarray(pixels).save(tmp_path / path)
            lines.append(f"c{i},p{i},{path},{('no', 'yes')[i % 2]},tile,0.97")
        (tmp_path / "cohort.csv").write_text("\n".join([*lines, *rows]) + "\n")
        return tmp_path / "cohort.csv"

    return build


def check(path, **options):
    heard = []
    audit = check_cohort(
        read_cohort(path, LABELS), advance=lambda amount=1: heard.append(amount), **options
    )
    assert sum(heard) == audit.counts[0].images
    return audit


@pytest.mark.parametrize("workers", [0, 1])
def test_a_sound_file_is_as_sound_as_its_pictures_alone(make, pictures, workers):
    bulk = check(make(pictures), workers=workers)
    alone = check(make(pictures, single=True))
    assert bulk.findings == alone.findings == ()
    assert bulk.counts == alone.counts
    assert bulk.spacings == alone.spacings
    assert bulk.powers == alone.powers
    assert bulk.alike == alone.alike
    assert bulk.alike.compared == SIZE


def test_equal_pixels_under_two_patients_are_an_error_wherever_they_lie(make, pictures):
    pictures[7] = pictures[4]
    pictures[10:13] = 255  # blank: no sign of anything
    audit = check(make(pictures))
    (finding,) = audit.findings
    assert (finding.severity, finding.problem) == ("error", "same picture under two patients")
    assert finding.where == "lines 6, 9"
    assert "x.h5#4 and " in finding.what
    assert "are the same picture under patients 'p4', 'p7'" in finding.what


def test_turned_copies_are_found_as_in_files(make, pictures):
    pictures[9] = pictures[20][::-1, ::-1]
    bulk, alone = check(make(pictures)), check(make(pictures, single=True))
    assert len(bulk.alike.across) == len(alone.alike.across) == 1
    assert [f.problem for f in bulk.findings] == ["same picture under two patients"]


def test_of_many_pictures_only_equal_ones_are_looked_for(make, pictures, monkeypatch):
    monkeypatch.setattr(look, "MOST_COMPARED", SIZE - 1)
    pictures[9] = pictures[20][::-1, ::-1]
    audit = check(make(pictures))
    assert audit.findings == ()
    assert (audit.alike.compared, audit.alike.too_many) == (0, SIZE)
    assert "48 pictures are too many to compare all with all" in render_text(audit)


def test_what_is_wrong_costs_its_picture_alone(make, pictures, tmp_path):
    path = make(
        pictures,
        f"far,q,x.h5#{SIZE},no,tile,",
        "gone,r,none.h5#0,no,tile,",
        "odd,s,text.h5#0,no,tile,",
        "slide,t,x.h5#3,no,slide,0.5",
    )
    (tmp_path / "text.h5").write_text("no")
    reading = read_leniently(path, LABELS)
    audit = check_cohort(reading.cohort, mistakes=reading.mistakes)
    lost = [f for f in audit.findings if f.costs == "case"]
    told = {f.where.split("'")[1]: (f.problem, f.what) for f in lost}
    assert audit.losses.images == 4
    assert told["far"][0] == "unreadable image"
    assert "the file holds 0 to 47" in told["far"][1]
    assert told["gone"][0] == "missing file"
    assert told["odd"][0] == "unreadable image"
    assert "is no slide; call it a tile" in told["slide"][1]


def test_unknown_patients_are_told(make, pictures):
    path = make(pictures[:24], "one,unknown,x.h5#3,yes,tile,", "two,Unknown,x.h5#4,no,tile,")
    told = [f for f in check(path).findings if f.problem == "unknown patients"]
    assert [(f.severity, f.costs) for f in told] == [("warning", "nothing")]
    assert "patients of 2 of 26 cases are unknown" in told[0].what


def test_a_damaged_piece_costs_the_pictures_in_it(make, pictures, tmp_path):
    path = make(pictures, chunks=(8, 40, 40, 3), compression="gzip")
    with h5py.File(tmp_path / "x.h5") as file:
        piece = file["x"].id.get_chunk_info(2)
    with (tmp_path / "x.h5").open("r+b") as file:
        file.seek(piece.byte_offset + piece.size // 2)
        file.write(b"\xff" * 400)
    audit = check(path)
    assert audit.losses.images == 8
    assert {f.where for f in audit.findings if f.costs == "case"} == {
        f"line {i + 2}, case 'c{i}'" for i in range(16, 24)
    }

"""A slide of many files has one name, which each of its bytes can change."""

import pytest

from toys.dicom_slides import write_dicom_slide
from wholecase.core.digest import file_digest
from wholecase.core.errors import SourceError
from wholecase.sources import fingerprint, members


def test_a_single_file_is_known_by_its_digest(tmp_path, texture):
    path = tmp_path / "a.svs"
    path.write_bytes(b"one file")
    assert members(path) == (path,)
    assert fingerprint(path) == file_digest(path)
    slide = write_dicom_slide(tmp_path / "a.dcm", texture)
    assert fingerprint(slide) == file_digest(slide)


def test_mirax_brings_its_folder(tmp_path):
    index, folder = tmp_path / "a.mrxs", tmp_path / "a"
    index.write_bytes(b"preview")
    (folder / "deep").mkdir(parents=True)
    for name in ("Slidedat.ini", "Data0000.dat", "deep/Data0001.dat"):
        (folder / name).write_bytes(name.encode())
    (tmp_path / "b.mrxs").write_bytes(b"another")
    assert len(members(index)) == 4
    before = fingerprint(index)
    assert before == fingerprint(index)
    (folder / "deep/Data0001.dat").write_bytes(b"changed")
    changed = fingerprint(index)
    (folder / "deep/Data0001.dat").rename(folder / "deep/Data0002.dat")
    assert len({before, changed, fingerprint(index), file_digest(index)}) == 4


def test_mirax_has_the_same_name_in_another_place(tmp_path):
    names = []
    for place in ("here", "there"):
        (tmp_path / place / "a").mkdir(parents=True)
        (tmp_path / place / "a.mrxs").write_bytes(b"preview")
        (tmp_path / place / "a/Slidedat.ini").write_bytes(b"index")
        names.append(fingerprint(tmp_path / place / "a.mrxs"))
    assert names[0] == names[1]


def test_hamamatsu_brings_the_pictures_that_it_names(tmp_path):
    index = tmp_path / "a.vms"
    index.write_text("[Virtual Microscope Specimen]\nImageFile=a.jpg\nMapFile=map.jpg\nMap=gone\n")
    for name in ("a.jpg", "map.jpg", "foreign.jpg"):
        (tmp_path / name).write_bytes(name.encode())
    assert {p.name for p in members(index)} == {"a.vms", "a.jpg", "map.jpg"}
    before = fingerprint(index)
    (tmp_path / "foreign.jpg").write_bytes(b"changed")
    assert fingerprint(index) == before
    (tmp_path / "map.jpg").write_bytes(b"changed")
    assert fingerprint(index) != before


def test_a_dicom_series_is_one_by_folder_and_by_file(tmp_path, texture):
    for name, series in (("0", "1.2.3"), ("1", "1.2.3")):
        write_dicom_slide(tmp_path / f"{name}.dcm", texture, SeriesInstanceUID=series)
    names = {fingerprint(path) for path in (tmp_path, tmp_path / "0.dcm", tmp_path / "1.dcm")}
    assert len(names) == 1
    (tmp_path / "notes.txt").write_text("no part of it")
    write_dicom_slide(tmp_path / "2.dcm", texture[:300])
    assert fingerprint(tmp_path / "0.dcm") in names
    with pytest.raises(SourceError, match="a folder with 2 DICOM slides"):
        fingerprint(tmp_path)
    with (tmp_path / "1.dcm").open("r+b") as file:
        file.seek(-1, 2)
        file.write(b"\7")
    assert fingerprint(tmp_path / "0.dcm") not in names


def test_what_is_missing_is_an_os_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        fingerprint(tmp_path / "gone.svs")
    (tmp_path / "empty").mkdir()
    with pytest.raises(SourceError, match="and empty; give that of a series"):
        fingerprint(tmp_path / "empty")

"""Whatever is called a table is read in bounded memory and time, or refused in a sentence."""

import os

import pytest

from wholecase.cohort import read_cohort
from wholecase.cohort.table import BLOCK, LONGEST_LINE, MOST_BYTES, MOST_ROWS
from wholecase.core.errors import ManifestError

HEAD = b"case_id,patient_id,path,kind\n"


def refused(path, said):
    with pytest.raises(ManifestError, match=said) as caught:
        read_cohort(path, None)
    assert str(caught.value).startswith(str(path)[:20])
    assert len(str(caught.value)) < 1000


def test_more_rows_or_bytes_than_fit_are_refused_before_they_are_read(tmp_path):
    path = tmp_path / "cohort.csv"
    with path.open("wb") as file:
        file.truncate(MOST_BYTES + 1)
    refused(path, "512 MiB are more than is read of a table")
    for end in (b"\n", b"\r", b"\r\n"):
        row = b"a,b,c,d" + end
        with path.open("wb") as file:
            for _ in range(MOST_ROWS // 100_000 + 1):
                file.write(row * 100_000)
        refused(path, f"lines are more than is read of a table \\({MOST_ROWS}\\)")


def test_a_line_without_end_is_refused(tmp_path):
    path = tmp_path / "cohort.csv"
    for content in (b"a," * LONGEST_LINE, HEAD + b"a," * LONGEST_LINE):
        path.write_bytes(content)
        refused(path, "longer than 1048576 letters|1001 columns|columns are more")
    path.write_bytes(b"a," * 2000 + b"\n")
    refused(path, "2001 columns are more than a table of images has")
    path.write_bytes(HEAD + b'"' + b"a\n" * BLOCK)
    refused(path, "line 2: no CSV row")


@pytest.mark.timeout(20)
def test_what_is_no_file_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.csv")
    for path in (tmp_path / "pipe.csv", tmp_path):
        refused(path, "not a file")
    for name in ("/dev/zero", "a\0b.csv", "x" * 5000):
        with pytest.raises(ManifestError, match="cannot be read"):
            read_cohort(tmp_path / name, None)


def test_the_line_that_is_no_text_is_named_wherever_it_stands(tmp_path):
    path = tmp_path / "cohort.csv"
    path.write_bytes(HEAD + b"a,p,x.png,tile\n" * 900 + b"M\xfc,p,x.png,tile\n")
    refused(path, "line 902: not UTF-8 text")


def test_many_mistakes_are_one_sentence(tmp_path):
    path = tmp_path / "cohort.csv"
    path.write_bytes(HEAD + b"".join(b"c%d,p,%d.png,tyle\n" % (i, i) for i in range(500)))
    refused(path, "line 2, column 'kind': 'tyle' is unknown.*499 more rows are wrong")

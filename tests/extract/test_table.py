"""The table tells what was done, and the hint follows the numbers."""

import pytest

from extract.conftest import cohort_of, plan_in
from wholecase.execution import Place
from wholecase.extract import extract, table_lines
from wholecase.extract.summary import hint, work_seconds


def test_the_lines_of_an_extraction(tmp_path, drawn):
    slide = drawn("a.tif", tiles=3)
    cohort = cohort_of(tmp_path, slide.image)
    done = extract(cohort, plan_in(tmp_path / "s"), Place(workers=0))
    first, second, third, fourth = table_lines(done)
    assert first == "1 images encoded, 0 found, 0 failed"
    assert second.startswith("9 tiles encoded in ")
    assert [word for word in third.split() if word.isalpha() and word != "s"][:4] == [
        "read",
        "transform",
        "encode",
        "write",
    ]
    assert "% of the time" in fourth
    again = extract(cohort, plan_in(tmp_path / "s"), Place(workers=0))
    assert list(table_lines(again)) == ["0 images encoded, 1 found, 0 failed"]


@pytest.mark.parametrize(
    ("seconds", "start"),
    [
        ({"open": 3.0, "cut": 3.0, "read": 3.0, "encode": 4.0}, "reading takes 69 % of the time"),
        ({"read": 1.0, "transform": 8.0, "encode": 1.0}, "resampling takes 80 % of the time"),
        ({"read": 1.0, "encode": 9.0}, "encoding takes 90 % of the time"),
        ({"read": 1.0, "write": 3.0}, "writing takes 75 % of the time"),
        (
            {"read": 90.0, "encode": 9.0, "write": 0.0, "wait": 1.0},
            "encoding takes 90 % of the time",
        ),
        (
            {"read": 5.0, "encode": 1.0, "wait": 4.0},
            "the encoder waits 80 % of its time for pixels",
        ),
        ({}, "reading takes 0 %"),
    ],
)
def test_the_hint_names_what_takes_longest(seconds, start):
    assert hint(seconds).startswith(start)
    assert sum(work_seconds(seconds).values()) == sum(
        n for name, n in seconds.items() if name != "wait"
    )

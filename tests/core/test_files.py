"""Nothing half-written, names that every system allows."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wholecase.core.files import atomic, read_json, safe_name, write_json, write_text


def test_a_failed_write_leaves_the_old_file_and_no_litter(tmp_path) -> None:
    path = tmp_path / "a.txt"
    write_text(path, "old")

    def fail() -> None:
        with atomic(path) as neighbour:
            neighbour.write_text("half")
            raise RuntimeError("power cut")

    with pytest.raises(RuntimeError):
        fail()
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_folders_are_made_and_json_is_stable(tmp_path) -> None:
    path = tmp_path / "deep" / "a.json"
    write_json(path, {"b": 1, "a": [1.5, None]})
    assert read_json(path) == {"a": [1.5, None], "b": 1}
    assert path.read_text() == json.dumps({"a": [1.5, None], "b": 1}, indent=2) + "\n"
    with pytest.raises(ValueError, match="JSON"):
        write_json(path, {"a": float("nan")})


@given(st.lists(st.text(min_size=1, max_size=12), unique=True, max_size=30))
def test_distinct_ids_get_distinct_portable_names(ids: list[str]) -> None:
    names = [safe_name(text) for text in ids]
    # disks of Windows and macOS do not tell capitals apart
    assert len({name.lower() for name in names}) == len(ids)
    for name in names:
        assert name.isascii()
        assert not set(name) & set('<>:"/\\|?*. ')


def test_reserved_names_are_changed() -> None:
    assert safe_name("con") != "con"
    assert safe_name("case-1_b") == "case-1_b"

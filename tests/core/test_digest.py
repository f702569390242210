"""The same content has one name; another content has another."""

from wholecase.core import digest as module
from wholecase.core.digest import digest, file_digest
from wholecase.core.seeds import generator, seed_of


def test_files_are_known_by_content(tmp_path) -> None:
    a, b, c = (tmp_path / name for name in "abc")
    a.write_bytes(b"x" * 1000)
    b.write_bytes(b"x" * 1000)
    c.write_bytes(b"x" * 999 + b"y")
    assert file_digest(a) == file_digest(b) != file_digest(c)


def test_large_files_differ_by_size_and_by_any_sample(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(module, "WHOLE_UP_TO", 100)
    monkeypatch.setattr(module, "SAMPLES", 4)
    monkeypatch.setattr(module, "SAMPLE_BYTES", 50)
    content = bytearray(range(256)) * 4
    path = tmp_path / "large"

    def named(changed: bytes) -> str:
        path.write_bytes(changed)
        return file_digest(path)

    first = named(bytes(content))
    assert named(bytes(content) + b"!") != first
    for place in (0, 324 + 10, len(content) - 1):  # start, a sample within, end
        other = content.copy()
        other[place] ^= 1
        assert named(bytes(other)) != first


def test_settings_are_named_whatever_their_order() -> None:
    assert digest(a=1, b={"c": 2, "d": 3}) == digest(b={"d": 3, "c": 2}, a=1)
    assert digest(a=1) != digest(a=2)
    assert digest(a=1) != digest(a="1")


def test_seeds_of_different_uses_are_unrelated() -> None:
    assert seed_of(1, "fold", 1) != seed_of(1, "fold", 2) != seed_of(2, "fold", 1)
    assert seed_of(1, "ab", "c") != seed_of(1, "a", "bc")
    assert generator(1, "x").random() == generator(1, "x").random()

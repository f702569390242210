"""Parts of others: found, refused and missed in one sentence, and known to workers."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from toys.outside import describe_package, forget, on_path
from wholecase.core.errors import RecipeError
from wholecase.core.lookup import look_up
from wholecase.core.outside import absences, in_use, others, reference, remarks, use
from wholecase.core.table import Table
from wholecase.execution import parallel_map

PLAIN = """
class Base: pass
class Mine(Base):
    \"\"\"Of one's own.\"\"\"
def doubled(number): return 2 * number
PARTS = {"thing.mine": Mine, "thing.wrong": 3, "thing.own": Mine}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Where modules and packages lie, forgotten afterwards."""
    with on_path(tmp_path):
        yield tmp_path


def things() -> Table[type]:
    return Table("thing", {"own": int}, type("Thing", (), {}))


def anything() -> Table[object]:
    return Table("thing", {"own": int})


def refusal(ask) -> str:
    with pytest.raises(RecipeError) as caught:
        ask()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_package_is_named_and_loaded_when_its_part_is(folder: Path) -> None:
    (folder / "good.py").write_text("def made(*, size=1): return size\n")
    (folder / "bad.py").write_text("1 / 0\n")
    describe_package(folder, "good-parts", "1.2", {"thing.made": "good:made", "thing.x": "good:no"})
    describe_package(folder, "bad-parts", "3", {"thing.broken": "bad:it", "thing.own": "bad:it"})
    forget()
    table = anything()
    assert look_up(table, "made", "thing")(size=4) == 4
    assert table.names() == ["own", "broken", "made", "x"] or "made" in table.names()
    assert list(table) == ["own"]  # to go through it is to go through the house's own
    assert look_up(table, "own", "thing") is int
    assert [part.origin for part in table.refused()] == ["bad-parts 3"]
    said = refusal(lambda: look_up(table, "broken", "thing"))
    assert "bad, which has parts, cannot be imported (ZeroDivisionError" in said
    assert "has no no" in refusal(lambda: look_up(table, "x", "thing"))
    assert "did you mean 'made'" in refusal(lambda: look_up(table, "mode", "thing"))
    assert "install the package that has it" in refusal(lambda: look_up(table, "zzz", "thing"))


def test_two_of_one_name_are_told_apart_by_the_recipe(folder: Path) -> None:
    (folder / "one.py").write_text("def it(): return 1\n")
    (folder / "two.py").write_text("def it(): return 2\n")
    for name in ("one", "two"):
        describe_package(folder, name, "1.0", {"thing.it": f"{name}:it"})
    forget()
    said = refusal(lambda: look_up(anything(), "it", "thing"))
    assert "one 1.0 and two 1.0" in said or "two 1.0 and one 1.0" in said
    assert look_up(anything(), "two:it", "thing")() == 2
    use(["two==1.0"])
    assert look_up(anything(), "it", "thing")() == 2
    assert list(remarks(["two==1.0"])) == []
    (told,) = remarks(["two==0.9"])
    assert "two 0.9 are asked for, and two 1.0 is installed" in told


def test_a_module_and_a_file_tell_their_parts(folder: Path) -> None:
    (folder / "mine.py").write_text(PLAIN)
    (folder / "silent.py").write_text("x = 1\n")
    use(["mine"])
    assert look_up(anything(), "mine", "thing").__doc__ == "Of one's own."
    assert others("thing") == {"mine", "wrong", "own"}
    assert "is 3, and must be a function" in refusal(lambda: look_up(anything(), "wrong", "thing"))
    said = refusal(lambda: look_up(things(), "mine", "thing"))
    assert "must be one of" in said
    assert "does not tell its parts; write into it PARTS" in refusal(lambda: use(["silent"]))
    assert "no module and no package that is installed" in refusal(lambda: use(["absent"]))
    assert "is not there" in refusal(lambda: use([str(folder / "gone.py")]))
    said = refusal(lambda: use(["absent-parts==2.0"]))
    assert "not installed; pip install absent-parts==2.0" in said
    assert in_use() == ("mine",)


def test_workers_know_the_parts_of_a_file(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "away" / "steps.py"
    path.parent.mkdir()
    path.write_text(PLAIN.replace('"thing.wrong": 3', '"thing.doubled": doubled'))
    use([str(path)])
    doubled = look_up(anything(), "doubled", "thing")
    (outcome,) = parallel_map(doubled, [21], workers=1)  # its module has no place on the path
    assert (outcome.result, outcome.error) == (42, None)


def test_a_run_folder_tells_what_is_missing(folder: Path) -> None:
    describe_package(folder, "here", "2.0", {})
    forget()
    told = [{"package": "here", "version": "1.0"}, {"package": "gone", "version": "3"}, {}]
    version, missing = absences(told)
    assert "here 2.0 is installed" in version
    assert "pip install gone==3" in missing


def test_an_address_is_no_reference() -> None:
    for name in ("hf-hub:MahmoodLab/UNI", "C:/weights.bin", "a:b:c", "no such"):
        assert not anything().knows(name)
    assert look_up(anything(), "collections:OrderedDict", "thing")() == {}


def test_objects_are_told_by_where_others_find_them() -> None:
    from collections import OrderedDict

    assert reference(OrderedDict) == "collections:OrderedDict"
    assert reference(Path.cwd.__func__) == "pathlib:Path.cwd"
    assert "put it into a .py file" in refusal(lambda: reference(lambda: 1))

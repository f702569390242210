"""The house keeps its own rules: layers, quick start, no side effects of an import."""

import subprocess
import sys
from collections import Counter
from graphlib import TopologicalSorter
from pathlib import Path

import grimp
import pytest
from importlinter.cli import lint_imports

import wholecase


def test_imports_point_down_only() -> None:
    assert lint_imports(no_cache=True) == 0


def test_no_module_imports_itself_through_others() -> None:
    house = grimp.build_graph("wholecase", cache_dir=None)
    # loaded when a name of it is first asked for
    house.remove_import(importer="wholecase", imported="wholecase.api")
    imported = {name: house.find_modules_directly_imported_by(name) for name in house.modules}
    TopologicalSorter(imported).prepare()  # a circle is an error that lists its modules


def test_nothing_below_asks_the_package_for_what_it_is() -> None:
    """The root offers the names of `api`; who stands on `core` has no use for it."""
    house = grimp.build_graph("wholecase", cache_dir=None)
    assert house.find_modules_that_directly_import("wholecase") == set()


def test_no_name_of_a_file_stands_in_more_than_two_rooms() -> None:
    source = Path(wholecase.__file__).parent
    rooms = Counter(path.name for path in source.rglob("*.py"))
    crowded = {name for name, count in rooms.items() if count > 2}
    assert crowded <= {"__init__.py", "table.py"}


def fresh(code: str) -> str:
    """What a new interpreter prints."""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    return done.stdout.strip()


def test_the_command_line_starts_without_heavy_imports() -> None:
    code = (
        "import sys, contextlib, io\n"
        "from wholecase.cli import main\n"
        "with contextlib.redirect_stdout(io.StringIO()):\n"
        "    try: main(['--help'])\n"
        "    except SystemExit: pass\n"
        "print(sorted({'torch','numpy','pydantic','cv2','scipy','sklearn'} & set(sys.modules)))"
    )
    assert fresh(code) == "[]"


def test_the_lower_half_never_loads_torch() -> None:
    code = (
        "import sys\n"
        "import wholecase.audit, wholecase.report, wholecase.recipes, wholecase.phantoms\n"
        "import wholecase.execution, wholecase.evaluation\n"
        "print('torch' in sys.modules)"
    )
    assert fresh(code) == "False"


def test_what_commands_an_extraction_never_loads_torch(cohort_file: Path, tmp_path: Path) -> None:
    """Also where features are made: workers have the network, and this process none."""
    made = f"extract egfr-clam encoder=colour --device cpu --store {tmp_path}"
    code = (
        "import sys, contextlib, io\n"
        "from wholecase.cli import main\n"
        "with contextlib.redirect_stdout(io.StringIO()):\n"
        f"    for command in ('check', {made!r}):\n"
        f"        words = ['--cohort', {str(cohort_file)!r}, '--workers', '1', '--quiet']\n"
        "        try: main([*command.split(), *words])\n"
        "        except SystemExit as end: assert not end.code\n"
        "print([name for name in ('torch', 'scipy.stats', 'sklearn') if name in sys.modules])"
    )
    assert fresh(code) == "[]"


@pytest.mark.parametrize("command", ["run egfr-clam --out x", "predict x", "triage x --out x"])
def test_a_missing_manifest_is_told_before_torch_is_loaded(command: str) -> None:
    code = (
        "import sys\n"
        "from wholecase.cli import main\n"
        f"try: main([*{command.split()!r}, '--cohort', 'nothing.csv'])\n"
        "except SystemExit as end: print(end.code)\n"
        "print('torch' in sys.modules)"
    )
    assert fresh(code) == "1\nFalse"


def test_importing_draws_no_random_number_and_sets_no_seed() -> None:
    code = (
        "import torch, numpy, random\n"
        "def state(): return (torch.get_rng_state().tolist(), random.getstate(),\n"
        "                     numpy.random.get_state()[1].tolist())\n"
        "before = state()\n"
        "import wholecase.experiment, wholecase.answer\n"
        "print(state() == before)"
    )
    assert fresh(code) == "True"

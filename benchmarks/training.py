"""Claim: a step of attention MIL costs 1.25 times less than in a plain loop, 2.2 times in bfloat16.

Draws bags of log-normal sizes around 4,000 instances of width 1,024, and takes training steps
with the toolkit's own model and with the same network as one would write it in torch: nn.Linear,
nn.Dropout, softmax, Adam, bag after bag. Once in the recipe's arithmetic (eight heads) and once in
the published one (one head). Then batches of eight bags: packed here, padded and masked there.
Each way has a process of its own, so that none meets another's memory, and they take turns with
the same bags, so that all meet the same load of the machine. Prints CPU seconds of one thread,
ratios (all bags together, and the quartiles over bags), the time that matrix products alone would
take, peaks of memory, the memory of judging a large bag, and writes JSON.

    python benchmarks/training.py
    python benchmarks/training.py --bags 48 --rounds 5 --spread 0.7
"""

import argparse
import contextlib
import json
import multiprocessing
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from wholecase.execution import freed_memory_kept, read_ahead
from wholecase.features.bag import Bag
from wholecase.features.bag_file import read_bag, write_bag
from wholecase.models import (
    AGGREGATORS,
    HEADS,
    Batch,
    CaseModel,
    Embedded,
    check_precision,
    lowered,
)
from wholecase.models.attention import pool_by_scores
from wholecase.training import Schedule, optimizer_for

WIDTH, EMBEDDING, GATE, HIDDEN, DROPOUT = 1024, 512, 384, 256, 0.25
MEDIAN, LARGE, PADDED = 4000, 100_000, 8
Step = Callable[[Sequence[Tensor], Tensor], float]


class Plain(nn.Module):
    """Gated attention as in the paper, head after head; `keep` masks what is padded."""

    def __init__(self, heads: int) -> None:
        super().__init__()
        self.heads = heads
        part, inner = EMBEDDING // heads, GATE // heads
        self.embed = nn.Sequential(nn.Linear(WIDTH, EMBEDDING), nn.ReLU(), nn.Dropout(DROPOUT))
        self.signal = nn.ModuleList(self._branch(part, inner, nn.Tanh) for _ in range(heads))
        self.gate = nn.ModuleList(self._branch(part, inner, nn.Sigmoid) for _ in range(heads))
        self.score = nn.ModuleList(nn.Linear(inner, 1) for _ in range(heads))
        self.head = nn.Sequential(
            nn.Linear(EMBEDDING, HIDDEN), nn.ReLU(), nn.Dropout(DROPOUT), nn.Linear(HIDDEN, 1)
        )

    @staticmethod
    def _branch(inputs: int, outputs: int, kind: type[nn.Module]) -> nn.Sequential:
        return nn.Sequential(nn.Linear(inputs, outputs), kind(), nn.Dropout(DROPOUT))

    def forward(self, bags: Tensor, keep: Tensor | None = None) -> Tensor:
        hidden = self.embed(bags)  # [..., N, E]
        mixed = []
        layers = zip(self.signal, self.gate, self.score, strict=True)
        for part, (signal, gate, score) in zip(hidden.chunk(self.heads, -1), layers, strict=True):
            scores = score(signal(part) * gate(part)).squeeze(-1)
            if keep is not None:
                scores = scores.masked_fill(~keep, -torch.inf)
            mixed.append((scores.softmax(-1).unsqueeze(-2) @ part).squeeze(-2))
        return self.head(torch.cat(mixed, -1)).squeeze(-1)


def plain_step(heads: int) -> Step:
    """One bag without padding, several padded to the longest."""
    model = Plain(heads).train()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-4, weight_decay=1e-5)

    def step(bags: Sequence[Tensor], labels: Tensor) -> float:
        optimizer.zero_grad()
        if len(bags) == 1:
            logits = model(bags[0])[None]
        else:
            padded = nn.utils.rnn.pad_sequence(list(bags), batch_first=True)
            lengths = torch.tensor([len(bag) for bag in bags])
            logits = model(padded, torch.arange(padded.shape[1]) < lengths[:, None])
        loss = F.binary_cross_entropy_with_logits(logits, labels)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def our_step(heads: int, precision: str, backward: float = 1.0) -> Step:
    """What the toolkit's loop does with a batch."""
    pool = AGGREGATORS["gated_attention"](WIDTH, heads=heads, dropout=DROPOUT, backward=backward)
    head = HEADS["binary"](EMBEDDING, 2, hidden=[HIDDEN], dropout=DROPOUT)
    model = CaseModel(pool=pool, head=head).train()
    schedule = Schedule(epochs=1, decay=1e-5, precision=precision)
    optimizer = optimizer_for(model, schedule, 0)

    def step(bags: Sequence[Tensor], labels: Tensor) -> float:
        optimizer.zero_grad(set_to_none=True)
        batch = packed(bags, labels)
        with lowered(precision, torch.device("cpu")):
            answer = model(batch)
        loss = model.head.loss(answer, batch)
        loss.backward()
        optimizer.step()
        return float(loss.detach())

    return step


def packed(bags: Sequence[Tensor], labels: Tensor) -> Batch:
    starts = torch.tensor([0, *(len(bag) for bag in bags)]).cumsum(0)
    values = bags[0] if len(bags) == 1 else torch.cat(list(bags))
    names = tuple(str(i) for i in range(len(bags)))
    return Batch(
        values, starts, names, names, targets={"label": torch.stack([1 - labels, labels], 1)}
    )


def products_step(heads: int, kind: torch.dtype) -> Step:
    """The matrix products of a step and nothing else: what no loop can go below."""
    part, inner = EMBEDDING // heads, GATE // heads
    first = torch.randn(EMBEDDING, WIDTH, dtype=kind)
    layer = torch.randn(heads, part, 2 * inner, dtype=kind)

    def step(bags: Sequence[Tensor], labels: Tensor) -> float:
        (bag,) = bags
        values = bag.to(kind)
        hidden = values @ first.T
        parts = hidden.view(len(bag), heads, part).transpose(0, 1)
        inside = parts @ layer
        _ = inside.transpose(1, 2) @ parts, inside @ layer.transpose(1, 2), hidden.T @ values
        return float(labels[0])

    return step


def cpu_seconds(step: Step, bags: Sequence[Tensor], labels: Tensor) -> float:
    started = time.process_time()
    step(bags, labels)
    return time.process_time() - started


STEPS: dict[str, Callable[[], Step]] = {
    "plain loop, 8 heads": lambda: plain_step(8),
    "plain loop, 1 head": lambda: plain_step(1),
    "wholecase, float32, 8 heads": lambda: our_step(8, "float32"),
    "wholecase, float32, 1 head": lambda: our_step(1, "float32"),
    "wholecase, bfloat16, 8 heads": lambda: our_step(8, "bfloat16"),
    "wholecase, bfloat16, 1 head": lambda: our_step(1, "bfloat16"),
    "wholecase, float32, a tenth back, 8 heads": lambda: our_step(8, "float32", 0.1),
    "wholecase, float32, a tenth back, 1 head": lambda: our_step(1, "float32", 0.1),
    "wholecase, bfloat16, a tenth back, 8 heads": lambda: our_step(8, "bfloat16", 0.1),
    "wholecase, bfloat16, a tenth back, 1 head": lambda: our_step(1, "bfloat16", 0.1),
    "products alone, float32, 8 heads": lambda: products_step(8, torch.float32),
    "products alone, float32, 1 head": lambda: products_step(1, torch.float32),
    "products alone, bfloat16, 8 heads": lambda: products_step(8, torch.bfloat16),
    "products alone, bfloat16, 1 head": lambda: products_step(1, torch.bfloat16),
}


def taking(line: Connection, name: str, counts: list[int]) -> None:
    """In a process of its own: take the steps that are asked for, tell the CPU seconds of each."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    bags = drawn(counts)
    step = STEPS[name]()
    ours = freed_memory_kept() if name.startswith("wholecase") else contextlib.nullcontext()
    with ours:  # as in a fold
        while (group := line.recv()) is not None:
            labels = torch.arange(len(group)).add(group[0]).remainder(2).float()
            line.send(cpu_seconds(step, [bags[i] for i in group], labels))
    line.send(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)


def interleaved(
    names: list[str], counts: list[int], groups: list[list[int]], rounds: int
) -> tuple[dict[str, np.ndarray], dict[str, int]]:
    """CPU seconds [group], the median of the rounds without the first; and peaks of memory."""
    context = multiprocessing.get_context("spawn")
    lines = {}
    for name in names:
        lines[name], theirs = context.Pipe()
        context.Process(target=taking, args=(theirs, name, counts), daemon=True).start()
    seconds = {name: np.zeros((rounds + 1, len(groups))) for name in names}
    for turn in range(rounds + 1):
        for number, group in enumerate(groups):
            for name, line in lines.items():
                line.send(group)
                seconds[name][turn, number] = line.recv()
    peaks = {}
    for name, line in lines.items():
        line.send(None)
        peaks[name] = line.recv()
    return {name: np.median(rows[1:], 0) for name, rows in seconds.items()}, peaks


def drawn(counts: list[int]) -> list[Tensor]:
    generator = torch.Generator().manual_seed(1)
    return [torch.randn(count, WIDTH, generator=generator) for count in counts]


def compared(
    told: tuple[dict[str, np.ndarray], dict[str, int]], base: str, title: str
) -> dict[str, dict[str, float]]:
    """Ratios of the base to each of the others, printed."""
    seconds, peaks = told
    print(title)
    facts = {}
    for name, row in seconds.items():
        ratios = seconds[base] / row
        low, high = np.quantile(ratios, (0.25, 0.75))
        ratio = float(seconds[base].sum() / row.sum())
        facts[name] = {
            "seconds": float(row.sum()),
            "ratio": ratio,
            "low": float(low),
            "high": float(high),
            "peak_bytes": peaks[name],
        }
        print(
            f"  {name:42} {row.sum():8.2f} s   {ratio:5.2f} ({low:.2f} to {high:.2f})"
            f"   {peaks[name] / 2**20:6.0f} MiB",
            flush=True,
        )
    return facts


def sizes(count: int, spread: float) -> list[int]:
    """Log-normal around the median; `spread` is the standard deviation of the logarithm."""
    drawn = np.random.default_rng(1).lognormal(np.log(MEDIAN), spread, count)
    return [int(n) for n in np.clip(drawn, 50, 40_000)]


def bag_at_a_time(counts: list[int], rounds: int) -> dict[str, dict[str, dict[str, float]]]:
    told = {}
    for heads in ("8 heads", "1 head"):
        names = [name for name in available() if name.endswith(heads)]
        groups = [[i] for i in range(len(counts))]
        title = f"{len(counts)} bags, one at a time"
        done = interleaved(names, counts, groups, rounds)
        told[heads] = compared(done, f"plain loop, {heads}", title)
    return told


def batches_of_eight(counts: list[int], rounds: int) -> dict[str, object]:
    """The plain loop pads a batch to its longest bag."""
    groups = [list(range(i, i + PADDED)) for i in range(0, len(counts) - PADDED + 1, PADDED)]
    used = sum(counts[i] for group in groups for i in group)
    room = sum(max(counts[i] for i in group) * PADDED for group in groups)
    names = [n for n in available() if n.endswith("8 heads") and "products" not in n]
    title = f"batches of {PADDED} bags; padding makes {room / used:.2f} instances of one"
    done = interleaved(names, counts, groups, rounds)
    return {"padding": room / used, "steps": compared(done, "plain loop, 8 heads", title)}


def available() -> list[str]:
    return [name for name in STEPS if "bfloat16" not in name or has_bfloat16()]


def has_bfloat16() -> bool:
    from wholecase.core.errors import RecipeError

    try:
        check_precision("bfloat16", "cpu")
    except RecipeError:
        return False
    return True


def reading(bags: list[Tensor], rounds: int) -> dict[str, float]:
    """Wall seconds of an epoch whose bags come from files, without and with reading ahead."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{i}.safetensors" for i in range(len(bags))]
        for path, bag in zip(paths, bags, strict=True):
            write_bag(path, on_disk(bag), "benchmark")
        step = our_step(8, "float32")

        def epoch(*, ahead: bool) -> float:
            started = time.perf_counter()
            read = (torch.from_numpy(read_bag(path, "benchmark").values) for path in paths)
            if ahead:
                with read_ahead(read) as coming:
                    for bag in coming:
                        step([bag], torch.ones(1))
            else:
                for bag in read:
                    step([bag], torch.ones(1))
            return time.perf_counter() - started

        with freed_memory_kept():
            turns = [(epoch(ahead=False), epoch(ahead=True)) for _ in range(rounds + 1)][1:]
        started = time.perf_counter()
        for path in paths:
            read_bag(path, "benchmark")
        alone = time.perf_counter() - started
    apart, ahead = (float(np.median(column)) for column in zip(*turns, strict=True))
    print(
        f"an epoch read from files: {apart:.2f} s, read ahead {ahead:.2f} s; reading {alone:.2f} s"
    )
    return {"read between steps": apart, "read ahead": ahead, "reading alone": alone}


def on_disk(bag: Tensor) -> Bag:
    count = len(bag)
    return Bag(
        values=bag.numpy(),
        box_px=np.zeros((count, 4), np.int64),
        position_um=np.zeros((count, 3), np.float32),
        scale=np.ones(count, np.float32),
    )


def judged(how: str) -> None:
    """In a process of its own: judge a large bag, tell seconds and the peak of memory above it."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    pool = AGGREGATORS["gated_attention"](WIDTH, heads=8).eval()
    values = torch.randn(LARGE, WIDTH)
    embedded = Embedded(values, torch.tensor([0, LARGE]))
    with torch.no_grad():
        pool(Embedded(values[:100], torch.tensor([0, 100])))
        Path("/proc/self/clear_refs").write_text("5")  # forgets the peak so far
        before, started = memory("VmRSS"), time.process_time()
        pooled = (
            pool(embedded) if how == "blocks" else pool_by_scores(pool._scored(values), embedded)
        )
        told = {"seconds": time.process_time() - started, "bytes": memory("VmHWM") - before}
    print(json.dumps({**told, "sum": pooled.embedding.double().sum().item()}))


def memory(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name))


def judging() -> dict[str, dict[str, float]]:
    told = {}
    for how in ("at once", "blocks"):
        words = [sys.executable, __file__, "--judge", how]
        told[how] = json.loads(subprocess.run(words, stdout=subprocess.PIPE, check=True).stdout)
        peak, seconds = told[how]["bytes"] / 2**20, told[how]["seconds"]
        print(f"judging {LARGE:,} instances, {how}: {peak:.0f} MiB above the bag, {seconds:.2f} s")
    return told


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bags", type=int, default=24)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--spread", type=float, default=1.0)
    parser.add_argument("--out", type=Path, default=Path("runs/benchmarks/training.json"))
    parser.add_argument("--judge", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.judge:
        judged(given.judge)
        return
    torch.set_num_threads(1)
    counts = sizes(given.bags, given.spread)
    print(f"{given.bags} bags of {min(counts)} to {max(counts)}, median {np.median(counts):.0f}")
    results = {
        "one at a time": bag_at_a_time(counts, given.rounds),
        "eight": batches_of_eight(counts, given.rounds),
        "reading": reading(drawn(counts), given.rounds),
        "judging": judging() if sys.platform == "linux" else None,
    }
    facts = {"machine": platform.processor() or platform.machine(), "torch": torch.__version__}
    facts |= {"cpu": torch.backends.cpu.get_cpu_capability()}
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps({**facts, "sizes": counts, "results": results}, indent=2))
    print(given.out)


if __name__ == "__main__":
    main()

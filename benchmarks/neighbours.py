"""Claim: the exact nearest of 20,000 cases by 512 numbers are found for 2,000 in under 2 s.

Random unit vectors, five to a patient, k of 31, on the threads that torch is given; and what
`torch.cdist` and one `topk` of all distances take, in turn, so that both meet the same load of the
machine. Prints seconds (median, quartiles), whether both find the same, and the vote; writes JSON.

    python benchmarks/neighbours.py
    python benchmarks/neighbours.py --known 5000 --threads 1
"""

import argparse
import json
import platform
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

from wholecase.models.heads.nearest_cases import Found, codes, nearest_cases


def drawn(count: int, width: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Unit vectors, and whose they are."""
    generator = torch.Generator().manual_seed(seed)
    vectors = F.normalize(torch.randn(count, width, generator=generator))
    return vectors, codes(f"{seed}-{i // 5}" for i in range(count))


def plainly(
    asked: tuple[torch.Tensor, torch.Tensor], known: tuple[torch.Tensor, torch.Tensor], k: int
) -> Found:
    """All distances at once."""
    distance = torch.cdist(asked[0], known[0])
    distance = distance.masked_fill(asked[1][:, None] == known[1], torch.inf)
    near, index = distance.topk(k, largest=False)
    return Found(index, near)


def seconds(function: Callable[[], Found]) -> float:
    started = time.perf_counter()
    function()
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name, value in {"known": 20_000, "asked": 2_000, "width": 512, "k": 31}.items():
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path, default=Path("runs/benchmarks/neighbours.json"))
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    known, asked = drawn(given.known, given.width, 0), drawn(given.asked, given.width, 1)
    ways = {"in blocks": nearest_cases, "all at once": plainly}
    took: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(given.rounds):
        for name, way in ways.items():
            took[name].append(seconds(lambda way=way: way(asked, known, given.k)))
    found = [way(asked, known, given.k).index for way in ways.values()]
    same = float((found[0] == found[1]).float().mean())
    told = {}
    for name, values in took.items():
        low, median, high = np.quantile(values, (0.25, 0.5, 0.75)).tolist()
        told[name] = {"low": low, "median": median, "high": high}
        print(f"{name:12} {median:.2f} s ({low:.2f} to {high:.2f})")
    print(f"the same neighbours in {same:.4%}")
    facts = {"settings": vars(given) | {"out": str(given.out)}, "machine": platform.processor()}
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps({**facts, "seconds": told, "same": same}, indent=1))


if __name__ == "__main__":
    main()

"""Claims: workers and processes share the work, and going on costs next to nothing.

Draws slides, then extracts them in one worker, in several, by two commands on one store at a time,
with the encoder apart from the readers, and once more when all is there. Prints tiles per second
and the ratio to one worker, and writes JSON.

    python benchmarks/extraction.py
    python benchmarks/extraction.py --encoder resnet50 --device cuda --workers 16

A network gets random weights, which are as fast as others.
"""

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from pathlib import Path

from wholecase.cohort import read_cohort
from wholecase.encoders import EncoderSpec
from wholecase.execution import Place
from wholecase.extract import Extraction, Plan, extract, table_lines
from wholecase.instances import Grid
from wholecase.phantoms import draw_slides


def spec_of(name: str, folder: Path) -> EncoderSpec:
    """The encoder; a network of timm with weights of chance."""
    if name == "colour":
        return EncoderSpec(name, {})
    import timm
    from safetensors.torch import save_file

    weights = folder / f"{name}.safetensors"
    model = timm.create_model(name, pretrained=False, num_classes=0)
    save_file({key: value.contiguous() for key, value in model.state_dict().items()}, weights)
    return EncoderSpec(name, {"weights": str(weights)})


class Bench:
    """One cohort, extracted again and again."""

    def __init__(self, folder: Path, given: argparse.Namespace) -> None:
        self.folder, self.given = folder, given
        self.cohort = folder / "slides" / "cohort.csv"
        if not self.cohort.exists():
            draw_slides(folder / "slides", cases=given.slides, seed=1, workers=given.workers)
        self.spec = spec_of(given.encoder, folder)

    def run(self, name: str, workers: int, *, central: bool | None = None) -> Extraction:
        cut = Grid(224, 0.5, {"name": "classical"})
        plan = Plan(cut, self.spec, self.folder / "stores" / name)
        return extract(
            read_cohort(self.cohort, None), plan, Place(self.given.device, workers), central=central
        )

    def timed(self, name: str, workers: int, *, central: bool | None = None) -> dict[str, float]:
        shutil.rmtree(self.folder / "stores" / name, ignore_errors=True)
        done = self.run(name, workers, central=central)
        print(f"--- {name}", *table_lines(done), sep="\n")
        return {"seconds": done.seconds["total"], "tiles": done.tiles}

    def two_commands(self) -> dict[str, float]:
        """Two processes of one worker each, started together on one store."""
        shutil.rmtree(self.folder / "stores" / "two commands", ignore_errors=True)
        words = [sys.executable, __file__, "--half", *sys.argv[1:]]
        started = time.perf_counter()
        both = [subprocess.Popen(words, stdout=subprocess.PIPE, text=True) for _ in range(2)]
        told = [json.loads(one.communicate()[0].splitlines()[-1]) for one in both]
        print("--- two commands", *(f"{n} of the images" for n, _ in told), sep="\n")
        return {"seconds": time.perf_counter() - started, "tiles": sum(n for _, n in told)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slides", type=int, default=24)
    parser.add_argument("--encoder", default="colour")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--folder", type=Path, default=Path("runs/benchmarks/extraction"))
    parser.add_argument("--half", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    bench = Bench(given.folder, given)
    if given.half:
        done = bench.run("two commands", 1, central=False)
        print(json.dumps([done.encoded, done.tiles]))
        return
    found = {
        "one worker": bench.timed("one worker", 1, central=False),
        "workers": bench.timed("workers", given.workers, central=False),
        "apart": bench.timed("apart", given.workers, central=True),
        "two commands": bench.two_commands(),
    }
    again = bench.run("workers", given.workers)
    for name, one in found.items():
        ratio = found["one worker"]["seconds"] / one["seconds"]
        speed = one["tiles"] / one["seconds"]
        print(f"{name:14} {speed:7.1f} tiles/s, {ratio:.2f} times one worker")
    each_ms = 1e3 * again.seconds["total"] / given.slides
    print(f"once more: {each_ms:.1f} ms per image, {again.encoded} encoded again")
    told = {
        "encoder": given.encoder,
        "device": given.device,
        "workers": given.workers,
        "python": platform.python_version(),
        "runs": found,
        "again_ms_per_image": each_ms,
    }
    (given.folder / "extraction.json").write_text(json.dumps(told, indent=2) + "\n")


if __name__ == "__main__":
    main()

"""Claim: patches of a tiled JPEG slide are read several times as fast as through OpenSlide.

Draws a slide as Aperio writes it (tiles of 240 px, 4:2:2) and a plain pyramidal TIFF (tiles of
256 px, 4:2:0), cuts all of level 0 into patches of 224 px, and reads them as an extraction does,
by our reader and by OpenSlide, in turn, so that both meet the same load of the machine; both must
give the same pixels, which is looked at once beforehand. Beside them every stored tile is decoded
once and thrown away, by simplejpeg: what no reader can beat that decodes on this processor. Freed
memory stays with the process, as in a worker that encodes. Prints patches per CPU second of one
thread, their share of the limit within a round (median, quartiles each), and writes JSON.

    python benchmarks/reading.py
    python benchmarks/reading.py --slide CMU-1.svs --rounds 9
"""

import argparse
import hashlib
import json
import platform
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import imagecodecs
import numpy as np
import openslide
import simplejpeg
import tifffile

from wholecase.execution import keep_freed_memory
from wholecase.extract.readable import Readable
from wholecase.extract.retrying import RetryingSource
from wholecase.instances import Grid, Instances
from wholecase.phantoms.stained import draw_scanned
from wholecase.sources import ImageSource, OpenSlideSource
from wholecase.sources.tiff import TiffSource

SPACING_UM, PATCH_PX, QUALITY = 0.5, 224, 75
KINDS = {
    "aperio-240.svs": {
        "tile": (240, 240),
        "subsampling": (2, 1),
        "description": f"Aperio Image Library v11\n|AppMag = 20|MPP = {SPACING_UM}",
    },
    "plain-256.tif": {
        "tile": (256, 256),
        "subsampling": (2, 2),
        "resolution": (1e4 / SPACING_UM, 1e4 / SPACING_UM),
        "resolutionunit": "CENTIMETER",
    },
}
LIMIT = "decoding alone"
READERS: dict[str, Callable[[Path], ImageSource]] = {
    "wholecase": TiffSource,
    "OpenSlide": OpenSlideSource,
}


def write(path: Path, pixels: np.ndarray) -> Path:
    """Levels page by page, each a quarter of the one before."""
    common = {"photometric": "ycbcr", "compression": "jpeg", "metadata": None}
    common |= {"compressionargs": {"level": QUALITY}, **KINDS[path.name]}
    with tifffile.TiffWriter(path) as file:
        level = pixels
        while True:
            file.write(level, subfiletype=int(level is not pixels), **common)
            if min(level.shape[:2]) < 1024:
                return path
            size = level.shape[1] // 4, level.shape[0] // 4
            level = cv2.resize(level, size, interpolation=cv2.INTER_AREA)


def read_all(source: ImageSource, instances: Instances) -> None:
    """All patches once, and let go."""
    for _ in Readable(source, instances, tolerated=0.0).batches():
        pass


def digest(source: ImageSource, instances: Instances) -> str:
    """Of all patches in the order in which they are read."""
    seen = hashlib.sha256()
    for indices, pixels in Readable(source, instances, tolerated=0.0).batches():
        seen.update(indices.tobytes())
        seen.update(pixels.tobytes())
    return seen.hexdigest()


def stored(path: Path) -> list[bytes]:
    """Each tile of level 0 as a JPEG of its own."""
    with tifffile.TiffFile(path) as file:
        page = file.pages.first
        tables = page.jpegtables or b""
        places = zip(page.dataoffsets, page.databytecounts, strict=True)
        tiles = [file.filehandle.read_segments([o], [n]) for o, n in places if n]
        return [tables[:-2] + data[2 if tables else 0 :] for one in tiles for data, _ in one]


def decode(tiles: list[bytes]) -> None:
    for tile in tiles:
        simplejpeg.decode_jpeg(tile)


def cpu_seconds(function: Callable[[], None]) -> float:
    started = time.process_time()
    function()
    return time.process_time() - started


def measured(path: Path, rounds: int) -> dict[str, dict[str, Any]]:
    with OpenSlideSource(path) as source:
        instances = Grid(PATCH_PX, SPACING_UM)(source)
    tiles = stored(path)
    digests = set()
    for reader in READERS.values():
        with reader(path) as source:
            digests.add(digest(source, instances))
    if len(digests) > 1:
        raise SystemExit(f"{path}: the readers give different pixels")
    seconds: dict[str, list[float]] = {name: [] for name in (*READERS, LIMIT)}
    for _ in range(rounds):
        for name, reader in READERS.items():
            # opened anew: nothing is decoded yet
            with RetryingSource(partial(reader, path)) as source:
                seconds[name].append(cpu_seconds(partial(read_all, source, instances)))
        seconds[LIMIT].append(cpu_seconds(partial(decode, tiles)))
    limit = np.array(seconds[LIMIT])
    return {
        name: {
            **_quartiles(len(instances) / np.array(took)),
            "of the limit": _quartiles(limit / np.array(took)),
        }
        for name, took in seconds.items()
    }


def _quartiles(values: np.ndarray) -> dict[str, float]:
    low, median, high = np.quantile(values, (0.25, 0.5, 0.75)).tolist()
    return {"low": low, "median": median, "high": high}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slide", type=Path)
    parser.add_argument("--side", type=int, default=6000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--out", type=Path, default=Path("runs/benchmarks/reading.json"))
    given = parser.parse_args()
    cv2.setNumThreads(1)
    keep_freed_memory()
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        pixels = None if given.slide else draw_scanned(given.side, SPACING_UM)
        for path in [given.slide] if given.slide else [Path(folder) / name for name in KINDS]:
            results[path.name] = measured(
                path if pixels is None else write(path, pixels), given.rounds
            )
            print(path.name)
            for name, row in results[path.name].items():
                spread = f"{row['median']:,.0f} patches/s ({row['low']:,.0f} to {row['high']:,.0f})"
                of = row["of the limit"]
                share = f"{of['median']:.0%} of the limit ({of['low']:.0%} to {of['high']:.0%})"
                print(f"  {name:16} {spread}, {share}")
    libraries = {
        "machine": platform.processor() or platform.machine(),
        "openslide": openslide.__library_version__,
        "imagecodecs": imagecodecs.__version__,
        "simplejpeg": simplejpeg.__version__,
    }
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps({**libraries, "slides": results}, indent=2))
    print(given.out)


if __name__ == "__main__":
    main()

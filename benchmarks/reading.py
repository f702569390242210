"""Claim: patches of a tiled JPEG slide are read several times as fast as through OpenSlide.

Draws a slide as Aperio writes it (tiles of 240 px, 4:2:2) and a plain pyramidal TIFF (tiles of
256 px, 4:2:0), cuts all of level 0 into patches of 224 px, and streams them through our reader and
through OpenSlide, in turn, so that both meet the same load of the machine; both must give the same
pixels. Beside them every stored tile is decoded once and thrown away, by simplejpeg: what no reader
can beat that decodes on this processor. Prints patches per CPU second of one thread (median,
quartiles), and writes JSON.

    python benchmarks/reading.py
    python benchmarks/reading.py --slide CMU-1.svs --rounds 9
"""

import argparse
import json
import platform
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import imagecodecs
import numpy as np
import openslide
import simplejpeg
import tifffile

from wholecase.instances import Grid, Instances, stream
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


def read_all(source: ImageSource, instances: Instances) -> int:
    """A checksum of all patches, in whichever order they come."""
    total = 0
    for _, pixels in stream(source, instances):
        total += int(pixels[:, ::32, ::32].sum())
    return total


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


def cpu_seconds(function: Callable[[], object]) -> tuple[float, object]:
    started = time.process_time()
    result = function()
    return time.process_time() - started, result


def measured(path: Path, rounds: int) -> dict[str, dict[str, float]]:
    with OpenSlideSource(path) as source:
        instances = Grid(PATCH_PX, SPACING_UM)(source)
    tiles = stored(path)
    seconds: dict[str, list[float]] = {name: [] for name in (*READERS, "decoding alone")}
    for _ in range(rounds):
        sums = set()
        for name, reader in READERS.items():
            with reader(path) as source:  # opened anew: nothing is decoded yet
                took, total = cpu_seconds(lambda source=source: read_all(source, instances))
            seconds[name].append(took)
            sums.add(total)
        assert len(sums) == 1, f"{path}: the readers give different pixels"
        seconds["decoding alone"].append(cpu_seconds(lambda: decode(tiles))[0])
    return {name: _rates(len(instances), took) for name, took in seconds.items()}


def _rates(patches: int, seconds: list[float]) -> dict[str, float]:
    low, median, high = np.quantile(patches / np.array(seconds), (0.25, 0.5, 0.75)).tolist()
    return {"low": low, "median": median, "high": high}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slide", type=Path)
    parser.add_argument("--side", type=int, default=6000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--out", type=Path, default=Path("runs/benchmarks/reading.json"))
    given = parser.parse_args()
    cv2.setNumThreads(1)
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        pixels = None if given.slide else draw_scanned(given.side, SPACING_UM)
        for path in [given.slide] if given.slide else [Path(folder) / name for name in KINDS]:
            results[path.name] = measured(
                path if pixels is None else write(path, pixels), given.rounds
            )
            limit = results[path.name]["decoding alone"]["median"]
            print(path.name)
            for name, row in results[path.name].items():
                spread = f"{row['median']:,.0f} patches/s ({row['low']:,.0f} to {row['high']:,.0f})"
                print(f"  {name:16} {spread}, {row['median'] / limit:.0%} of the limit")
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

"""A night's batch: damaged slides of every kind, and a process that is killed again and again."""

import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import cv2
import numpy as np
import psutil
import pytest
import tifffile

from wholecase.phantoms import draw_slides
from wholecase.runs import read_rows

Damage = Callable[[Path, Path], object]
"""Makes a bad slide at the second path out of the good one at the first."""


def cut_off(share: float) -> Damage:
    return lambda good, bad: bad.write_bytes(raw(good)[: int(len(raw(good)) * share)])


def patched(offset: int, content: bytes) -> Damage:
    def patch(good: Path, bad: Path) -> None:
        changed = bytearray(raw(good))
        changed[offset : offset + len(content)] = content
        bad.write_bytes(changed)

    return patch


def in_tiles(change: Callable[[bytes, random.Random], bytes]) -> Damage:
    """Change every stored tile of the finest level, and nothing else."""

    def damage(good: Path, bad: Path) -> None:
        changed, draw = bytearray(raw(good)), random.Random(good.name)
        with tifffile.TiffFile(good) as file:
            page = file.pages[0]
            for start, length in zip(page.dataoffsets, page.databytecounts, strict=True):
                changed[start : start + length] = change(raw(good)[start : start + length], draw)
        bad.write_bytes(changed)

    return damage


def rewritten(**tags: object) -> Damage:
    """The same pixels with other tags."""
    options = {"tile": (256, 256), "photometric": "rgb", "compression": "jpeg", "metadata": None}
    return lambda good, bad: tifffile.imwrite(bad, tifffile.imread(good, key=0), **options, **tags)


def blank(good: Path, bad: Path) -> None:
    glass = np.random.default_rng(0).integers(243, 247, (1400, 1900, 3)).astype(np.uint8)
    spacing = {"resolution": (20000, 20000), "resolutionunit": "CENTIMETER"}
    tifffile.imwrite(bad, glass, tile=(256, 256), photometric="rgb", compression="jpeg", **spacing)


def photograph(good: Path, bad: Path) -> None:
    _, png = cv2.imencode(".png", tifffile.imread(good, key=0)[:600, :600])
    bad.write_bytes(png)


def flipped(tile: bytes, draw: random.Random) -> bytes:
    changed = bytearray(tile)
    for _ in range(60):
        changed[draw.randrange(20, len(changed))] ^= 1 << draw.randrange(8)
    return bytes(changed)


def raw(path: Path) -> bytes:
    return path.read_bytes()


def per_cm(x_um: float, y_um: float) -> dict[str, object]:
    return {"resolution": (1e4 / x_um, 1e4 / y_um), "resolutionunit": "CENTIMETER"}


NO_SLIDE = "not a slide|not an image|cannot open|cut off|damaged"
DAMAGES: dict[str, tuple[Damage, str]] = {
    "zeroed-tiles.tif": (in_tiles(lambda tile, _: bytes(len(tile))), "tiles cannot be decoded"),
    "cut-at-half.tif": (cut_off(0.5), NO_SLIDE),
    "blank.tif": (blank, "tissue"),
    "missing.tif": (lambda good, bad: None, "no such file"),
    "oblong.tif": (rewritten(**per_cm(0.5, 0.25)), "not square"),
    "cut-at-start.tif": (cut_off(0.01), NO_SLIDE),
    "cut-at-95.tif": (cut_off(0.95), NO_SLIDE),
    "cut-at-the-end.tif": (cut_off(0.995), NO_SLIDE),
    "flipped-bits.tif": (in_tiles(flipped), "tiles cannot be decoded"),
    "half-tiles.tif": (
        in_tiles(lambda tile, _: tile[: len(tile) // 2].ljust(len(tile), b"\0")),
        "tiles cannot be decoded",
    ),
    "empty.tif": (lambda good, bad: bad.touch(), "empty"),
    "text.svs": (lambda good, bad: bad.write_text("to be scanned again"), NO_SLIDE),
    "noise.svs": (lambda good, bad: bad.write_bytes(random.Random(1).randbytes(9999)), NO_SLIDE),
    "zeros.tif": (lambda good, bad: bad.write_bytes(bytes(200_000)), NO_SLIDE),
    "no-magic.tif": (patched(0, b"XX"), NO_SLIDE),
    "lost-directory.tif": (patched(4, b"\xff\xff\xff\x00"), NO_SLIDE),
    "unspaced.tif": (rewritten(), "column mpp"),
    "coarse.tif": (rewritten(**per_cm(500, 500)), "implausible"),
    "folder.tif": (lambda good, bad: bad.mkdir(), "folder|directory"),
    "photograph.svs": (photograph, "column mpp|not a slide"),
}
"""Name of the bad slide, how it is made, and what the table must say of it."""


def write_manifest(path: Path, slides: Iterable[Path]) -> Path:
    rows = [f"{slide.name},p{i},{slide},slide" for i, slide in enumerate(slides)]
    path.write_text("\n".join(["case_id,patient_id,path,kind", *rows]) + "\n")
    return path


def command(cohort: Path, store: Path) -> list[str]:
    words = ["extract", "egfr-clam", "encoder=colour", "--device", "cpu", "--workers", "2"]
    start = [sys.executable, "-c", "from wholecase.cli import main; main()"]
    return [*start, *words, "--cohort", str(cohort), "--store", str(store)]


def contents(store: Path) -> dict[Path, bytes]:
    """All files, the pictures of refused images excepted, and litter included."""
    files = (p for p in store.rglob("*") if p.is_file() and p.parent.name != "refused")
    return {path.relative_to(store): path.read_bytes() for path in files}


def kill_when(bags: int, store: Path, words: list[str], draw: random.Random) -> bool:
    """Kill the command a moment after the store holds so many bags; False if it ended before."""
    running = subprocess.Popen(
        words, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    while len(list(store.glob("*/[0-9a-f]*.safetensors"))) < bags and running.poll() is None:
        time.sleep(0.005)
    time.sleep(draw.random() * 0.2)
    workers = psutil.Process(running.pid).children() if running.poll() is None else []
    if running.poll() is not None:
        return False
    if draw.random() < 0.5:
        os.killpg(running.pid, signal.SIGKILL)
    else:  # the workers, orphans now, finish what they have in hand and leave
        running.kill()
    running.wait()
    if draw.random() < 0.5:
        psutil.wait_procs(workers, timeout=60)
    return True


def night(folder: Path, *, good: int, bad: int, kills: int) -> str:
    """Draw, damage, disturb, compare; what the last command printed."""
    drawn = draw_slides(folder, cases=good, seed=4, workers=2, size_um=(900.0, 700.0))
    slides = [folder / row["path"] for row in read_rows(drawn)]
    damages = dict(list(DAMAGES.items())[:bad])
    spoilt = [folder / "bad" / name for name in damages]
    (folder / "bad").mkdir()
    for number, path in enumerate(spoilt):
        damages[path.name][0](slides[number], path)
    draw = random.Random(7)
    mixed = draw.sample([*slides, *spoilt], good + bad)
    quiet, wild = folder / "quiet", folder / "wild"
    words = command(write_manifest(folder / "good.csv", slides), quiet)
    subprocess.run(words, check=True, capture_output=True, timeout=600)
    words = command(write_manifest(folder / "mixed.csv", mixed), wild)
    for number in range(kills):
        bags = (number + 1) * good // (kills + 1) - draw.randrange(max(1, good // (2 * kills)))
        assert kill_when(bags, wild, words, draw)
    ended = subprocess.run(words, check=False, capture_output=True, text=True, timeout=600)
    assert ended.returncode == 1, ended.stderr
    assert contents(wild) == contents(quiet)
    outs = {Path(re.split(": ", line)[1]).name: line for line in ended.stdout.splitlines()[:bad]}
    assert outs.keys() == damages.keys()
    for name, (_, reason) in damages.items():
        assert re.search(reason, outs[name]), outs[name]
    assert re.search(rf"{bad} failed", ended.stdout)
    return ended.stdout


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_a_short_night(tmp_path: Path) -> None:
    told = night(tmp_path, good=11, bad=5, kills=2)
    encoded, found = re.search(r"(\d+) images encoded, (\d+) found", told).groups()
    assert int(encoded) + int(found) == 11
    assert int(found) > 0


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_a_long_night(tmp_path: Path) -> None:
    print(night(tmp_path, good=180, bad=20, kills=5))

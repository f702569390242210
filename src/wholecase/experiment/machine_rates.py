"""What this machine does in a second: reading slides, encoding, learning; each on drawn data."""

import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final, get_args

import numpy as np
import torch

from wholecase.assemble import batches_of, model_of, schedule_of
from wholecase.core.errors import RecipeError
from wholecase.core.imagenet import IMAGENET_MEAN, IMAGENET_STD
from wholecase.core.outlet import message
from wholecase.encoders import Encoder
from wholecase.encoders.encoder import EXACT, Engine
from wholecase.encoders.network import Look, network_encoder
from wholecase.encoders.timm_encoder import check_model
from wholecase.execution import Place, freed_memory_kept, one_thread
from wholecase.instances import Grid, stream
from wholecase.models import Batch
from wholecase.phantoms.pyramid import write_pyramid
from wholecase.phantoms.stained import draw_scanned
from wholecase.recipes import read_recipe
from wholecase.sources import open_source
from wholecase.training import Epoch, Example, Examples, fit, pack

SMALL = "mobilenetv2_100"
"""The network whose rates are told where none is asked for."""
SIDE_PX, SPACING_UM, WIDTH, BATCH = 224, 0.5, 1024, 16
SLIDE_PX, TILE_PX = 2400, 256
BAGS, MEDIAN = 6, 2000
DISK_BYTES, BLOCK = 64 * 2**20, 2**20


@dataclass(frozen=True)
class Rate:
    """How much of something a second does."""

    stage: str
    """`disk`, `reading`, `encoding` or `training`."""
    how: str
    per_second: float
    unit: str
    of_tile: float = 1.0
    """How many of the unit a tile of a slide takes."""

    def seconds(self, tiles: int) -> float:
        """For a slide of so many tiles, or an epoch of it."""
        return tiles * self.of_tile / self.per_second


def machine_rates(
    place: Place,
    folder: Path,
    *,
    encoder: str | None = None,
    engines: Sequence[Engine] = get_args(Engine),
    seconds: float = 2.0,
) -> Iterator[Rate]:
    """Each rate as soon as it is known, of one thread.

    Seconds are of the CPU; of the disk and of other devices they are on the clock.

    Args:
        place: where networks compute.
        folder: on the disk that is asked about; what is written there goes away.
        encoder: a network of timm that is measured besides, with weights drawn at random.
        engines: that encode; one that a network or device does not take is passed over, and told.
        seconds: how long each is measured, at least.

    Raises:
        RecipeError: timm has no such network.
    """
    networks = [SMALL, *([encoder] if encoder else [])]
    for network in networks:
        check_model(network)
    with tempfile.TemporaryDirectory(dir=folder) as drawn, one_thread(), freed_memory_kept():
        reading, tile_bytes = _reading(Path(drawn) / "slide.tif", seconds)
        yield _disk(Path(drawn) / "bytes", tile_bytes)
        yield reading
        for network in networks:
            for engine in engines:
                try:
                    yield _encoding(network, engine, place.device, seconds)
                except RecipeError as error:
                    message(f"note: {network}, {engine}: {error}")
        yield _training(place.device, seconds)


def bottleneck(rates: Sequence[Rate], tiles: int, encoder: str | None = None) -> Rate:
    """What takes longest of a slide: making its features exactly, or an epoch that shows it."""
    exact = f"{encoder or SMALL}, {EXACT}"
    counted = [rate for rate in rates if rate.stage != "encoding" or rate.how == exact]
    return max(counted, key=lambda rate: rate.seconds(tiles))


def _per_second(work: Callable[[], int], seconds: float, clock: Callable[[], float]) -> float:
    """The median over turns; a first one, that takes memory and warms up, does not count."""
    work()
    rates: list[float] = []
    ends = clock() + seconds
    while not rates or clock() < ends:
        begun = clock()
        done = work()
        rates.append(done / max(clock() - begun, 1e-9))
    return float(np.median(rates))


def _clock(device: str) -> Callable[[], float]:
    return time.process_time if device == "cpu" else time.perf_counter


def _reading(path: Path, seconds: float) -> tuple[Rate, float]:
    """Tiles of a drawn slide in JPEG; and how many bytes one takes on disk."""
    pixels = draw_scanned(SLIDE_PX, SPACING_UM)
    write_pyramid(path, pixels, spacing_um=SPACING_UM, tile_px=TILE_PX)

    def read() -> int:
        with open_source(path, "slide") as source:  # opened anew: nothing is decoded yet
            instances = Grid(SIDE_PX, SPACING_UM)(source)
            return sum(len(rows) for rows, _ in stream(source, instances))

    tiles = read()
    told = f"{SIDE_PX} px of a drawn slide in JPEG"
    rate = Rate("reading", told, _per_second(read, seconds, time.process_time), "tiles")
    return rate, path.stat().st_size / tiles


def _disk(path: Path, tile_bytes: float) -> Rate:
    """Reading a file that was written just now, put out of memory where the system allows it."""
    block = np.random.default_rng(1).bytes(BLOCK)
    with path.open("wb", buffering=0) as file:
        for _ in range(DISK_BYTES // BLOCK):
            file.write(block)
        os.fsync(file.fileno())
        forgets = hasattr(os, "posix_fadvise")
        if forgets:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    begun = time.perf_counter()
    with path.open("rb", buffering=0) as file:
        while file.read(BLOCK):
            pass
    rate = DISK_BYTES / 2**20 / (time.perf_counter() - begun)
    how = "a file written just now" + ("" if forgets else ", maybe from memory")
    return Rate("disk", how, rate, "MiB", tile_bytes / 2**20)


def _encoding(network: str, engine: Engine, device: str, seconds: float) -> Rate:
    made = _encoder(network, engine, device)
    pixels = np.random.default_rng(1).integers(0, 256, (BATCH, SIDE_PX, SIDE_PX, 3), np.uint8)
    rate = _per_second(lambda: len(made.encode(pixels)), seconds, _clock(device))
    return Rate("encoding", f"{network}, {engine}", rate, "tiles")


def _encoder(network: str, engine: Engine, device: str) -> Encoder:
    """With weights drawn at random: they do not change how long it takes."""
    import timm

    with torch.random.fork_rng(devices=[]):
        made = timm.create_model(network, num_classes=0)
    noted: Any = made.pretrained_cfg
    look = Look(noted["input_size"][-1], IMAGENET_MEAN, IMAGENET_STD)
    return network_encoder(made, look, identity=network, batch=BATCH, device=device, engine=engine)


def _training(device: str, seconds: float) -> Rate:
    """Epochs of drawn bags by the recipe `egfr-clam`, without the first."""
    recipe = read_recipe("egfr-clam")
    examples, clock = _Drawn(), _clock(device)
    model = model_of(recipe, WIDTH, 2, 1, [BAGS // 2, BAGS // 2]).to(device)
    schedule = schedule_of(read_recipe("egfr-clam", ["train.early_stop=null", "train.epochs=1"]))
    batches = batches_of(recipe, examples, 1)
    told: list[Epoch] = []

    def epoch() -> int:
        fit(model, (batches, None), schedule, seed=1, on_epoch=told.append)
        return examples.in_all

    rate = _per_second(epoch, seconds, clock)
    return Rate("training", f"an epoch of egfr-clam, bags of {WIDTH} numbers", rate, "tiles")


@final
class _Drawn(Examples):
    """Bags of log-normal sizes, in memory."""

    def __init__(self) -> None:
        rng = np.random.default_rng(1)
        counts = np.exp(rng.normal(np.log(MEDIAN), 0.7, BAGS)).astype(int).tolist()
        seeded = torch.Generator().manual_seed(1)
        self._cases = [
            Example(
                case=str(number),
                patient=str(number),
                values=torch.randn(count, WIDTH, generator=seeded),
                targets={"label": torch.eye(2)[number % 2]},
            )
            for number, count in enumerate(counts)
        ]
        self.in_all: int = sum(counts)

    def __len__(self) -> int:
        return len(self._cases)

    def __getitem__(self, index: int) -> Example:
        return self._cases[index]

    def batch(self, indices: Sequence[int]) -> Batch:
        """These side by side."""
        return pack([self._cases[index] for index in indices])

    def instances(self, index: int) -> int:
        """As drawn."""
        return len(self._cases[index].values)

    def patient(self, index: int) -> str:
        """Each is another's."""
        return self._cases[index].patient

    def label(self, index: int) -> int | None:
        """Both take turns."""
        return index % 2


def rates_json(rates: Sequence[Rate], tiles: int) -> list[Mapping[str, object]]:
    """The rates, and what a slide of so many tiles takes."""
    return [
        {
            "stage": rate.stage,
            "how": rate.how,
            "per_second": rate.per_second,
            "unit": rate.unit,
            "seconds": rate.seconds(tiles),
        }
        for rate in rates
    ]

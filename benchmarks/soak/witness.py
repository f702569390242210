"""What a second reader finds in a file, to hold the toolkit's reading against."""

import contextlib
import csv
import io
import os
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import h5py
import imagecodecs
import numpy as np
import pydicom
import tifffile
import torch
import yaml
from pydicom.encaps import generate_frames

MOST_BYTES = 2**28
"""A witness, too, allocates no more than this, whatever a file claims."""


@contextlib.contextmanager
def stderr_of_libraries() -> Iterator[Any]:
    """What C libraries write to the screen meanwhile."""
    before = os.dup(2)
    with tempfile.TemporaryFile() as heard:
        os.dup2(heard.fileno(), 2)
        try:
            yield heard
        finally:
            os.dup2(before, 2)
            os.close(before)


def picture(path: Path) -> tuple[np.ndarray | None, str]:
    """Pixels by OpenCV, and what its decoder complained of."""
    with stderr_of_libraries() as heard:
        pixels = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_COLOR_RGB)
        heard.seek(0)
        return pixels, heard.read().decode("utf-8", "replace").strip()


def tiff(path: Path) -> list[np.ndarray]:
    with tifffile.TiffFile(path) as file:
        page = file.pages.first
        return [page.asarray()] if np.prod(page.shape) <= MOST_BYTES else []


def dicom(path: Path) -> list[np.ndarray]:
    """Frames along rows, as the standard has them, and along columns, as some writers do."""
    data = pydicom.dcmread(path, force=True)
    size = int(data.TotalPixelMatrixRows), int(data.TotalPixelMatrixColumns)
    side = int(data.Rows), int(data.Columns)
    down, across = (-(-whole // part) for whole, part in zip(size, side, strict=True))
    if down * across * side[0] * side[1] * 3 > MOST_BYTES:
        return []
    frames = list(generate_frames(data.PixelData, number_of_frames=int(data.NumberOfFrames)))
    found = []
    for order in (np.arange(down * across), np.arange(down * across).reshape(across, down).T):
        whole = np.full((down * side[0], across * side[1], 3), 255, np.uint8)
        for (row, column), number in np.ndenumerate(order.reshape(down, across)):
            y, x = row * side[0], column * side[1]
            with contextlib.suppress(Exception):  # one damaged frame is not the others' fault
                whole[y : y + side[0], x : x + side[1]] = imagecodecs.imread(frames[number])
        found.append(whole[: size[0], : size[1]])
    return found


def pixels_of(path: Path, kind: str) -> list[np.ndarray]:
    """Level 0 as another library reads it, in each order that may be meant; empty if it cannot."""
    readers = {"svs": tiff, "tiff": tiff, "dicom slide": dicom}
    with contextlib.suppress(Exception):
        if kind in readers:
            return readers[kind](path)
        return [one for one in picture(path)[:1] if one is not None]
    return []


def features(path: Path) -> tuple[np.ndarray, np.ndarray | None] | None:
    """Rows and corners as the file holds them; None where it cannot be read."""
    with contextlib.suppress(Exception):
        return _tensor(path) if path.suffix == ".pt" else _hdf5(path)
    return None


def _tensor(path: Path) -> tuple[np.ndarray, None] | None:
    if zipfile.ZipFile(path).testzip() is not None:
        return None
    values = torch.load(path, weights_only=True)
    return values.reshape(-1, values.shape[-1]).numpy(), None


def _hdf5(path: Path) -> tuple[np.ndarray, np.ndarray | None] | None:
    with h5py.File(path) as file:
        held = {name: file[name] for name in ("features", "feats", "coords") if name in file}
        if sum(one.nbytes for one in held.values()) > MOST_BYTES:
            return None
        values = held.get("features", held.get("feats"))[()]
        places = held["coords"][()] if "coords" in held else None
    return values.reshape(-1, values.shape[-1]), places


def table(content: bytes) -> list[dict[str, str]] | None:
    """The rows of a CSV file by column; None where it is none."""
    try:
        text = content.decode("utf-8-sig")
        signs = max(",;\t", key=text.split("\n", 1)[0].count)
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=signs)
        first, *others = [[cell.strip() for cell in row] for row in reader if any(row)]
    except (ValueError, csv.Error):
        return None
    return [dict(zip(first, row, strict=False)) for row in others]


def recipe(content: bytes) -> Any:
    """What PyYAML's own loader makes of a text, all of it as written."""
    return yaml.load(content.decode("utf-8-sig"), yaml.BaseLoader)

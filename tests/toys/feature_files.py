"""Feature files as CLAM, TRIDENT and STAMP write them, drawn."""

from pathlib import Path

import h5py
import numpy as np
import torch


def corners(n: int, step: float) -> np.ndarray:
    """Top left corners of n tiles, five to a row."""
    return np.stack([np.arange(n) % 5, np.arange(n) // 5], axis=1) * step


def clam_h5(path: Path, values: np.ndarray, step: int = 512, beside: bool = False) -> Path:
    with h5py.File(path, "w") as file:
        file["features"] = values.astype(np.float32)
        file["coords"] = corners(len(values), step).astype(np.int64)
    if beside:
        clam_patches(path, len(values), step)
    return path


def clam_patches(path: Path, n: int, step: int = 512) -> Path:
    """The patch file of a slide whose tiles of 256 px come from a level half as large."""
    patches = path.parent / "patches" / f"{path.stem}.h5"
    patches.parent.mkdir(exist_ok=True)
    with h5py.File(patches, "w") as file:
        file["coords"] = corners(n, step).astype(np.int64)
        told = {"patch_size": 256, "patch_level": 1, "downsample": np.array([2.0, 2.0])}
        told |= {"level_dim": np.array([5000, 4000]), "name": path.stem}
        file["coords"].attrs.update(told)
    return patches


def clam_pt(path: Path, values: np.ndarray) -> Path:
    torch.save(torch.from_numpy(values.astype(np.float32)), path)
    return path


def trident(
    path: Path,
    values: np.ndarray,
    encoder: str = "uni_v1",
    old: bool = False,
    power: int = 20,
) -> Path:
    """Tiles of 256 px at that power, of a slide of 40x."""
    step = 256 * 40 // power
    with h5py.File(path, "w") as file:
        file["features"] = values[None].astype("f4") if old else values.astype("f4")
        file["features"].attrs.update({"name": path.stem, "encoder": encoder})
        file["coords"] = corners(len(values), step).astype(np.int64)
        told = {"patch_size": 256, "patch_size_level0": step, "level0_magnification": 40}
        told |= {"target_magnification": power, "overlap": 0, "name": path.stem}
        told |= {"level0_width": 10_000, "level0_height": 8000}
        file["coords"].attrs.update(told)
    return path


def stamp(path: Path, values: np.ndarray, extractor: str = "mahmood-uni", **changes) -> Path:
    told = {"extractor": extractor, "tile_size_um": 256.0, "tile_size_px": 224, "unit": "um"}
    told |= {"stamp_version": "2.1.0", "feat_type": "tile", **changes}
    with h5py.File(path, "w") as file:
        file["feats"] = values.astype(np.float16)
        file["coords"] = corners(len(values), 256.0)
        file.attrs.update({k: v for k, v in told.items() if v is not None})
    return path

"""What a patch model says of every place of a slide: a map, its risk, its tumour area."""

import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jaxtyping import Float, Float32, Float64

from wholecase.core.files import write_bytes
from wholecase.triage.raster import Raster

RISK_MM2 = 0.05
"""Area over which a slide's risk is a mean: a square of 0.22 mm, a little more than the 0.2 mm from
which on a deposit counts as a micrometastasis (AJCC). One wrong window alone moves it by 2 %."""


UNLIKE_SHARE = 0.5
"""A slide of which more windows are unlike what was learnt from is marked as a whole."""


@dataclass(frozen=True)
class SlideMap:
    """The probability of the positive class in every cell of a slide."""

    raster: Raster
    grid: Float32[np.ndarray, "rows columns"]
    """nan where there is no tissue."""
    threshold: float
    """A cell above it counts as tumour."""
    unlike: int = 0
    """Windows that are unlike the patches that the run learnt from."""

    @property
    def unlike_share(self) -> float:
        """The share of such windows; of 100 of the kind that was learnt from, 1 is marked."""
        return self.unlike / max(self.windows, 1)

    @property
    def is_unlike(self) -> bool:
        """Whether most windows are: the map then says nothing."""
        return self.unlike_share > UNLIKE_SHARE

    @property
    def windows(self) -> int:
        """How many cells were judged."""
        return int(np.isfinite(self.grid).sum())

    @property
    def risk(self) -> float:
        """The highest mean probability of any square of about `RISK_MM2`; glass in it counts 0.

        Neighbouring windows share two thirds of their pixels, so that one odd object makes nine of
        them suspicious: a mean over fewer, or over the most suspicious ones wherever they lie,
        would be the risk of such objects. Tumour lies together.
        """
        return _highest_mean(self.grid, squares_side(self.raster))

    @property
    def tissue_mm2(self) -> float:
        """Area of the cells that were judged: a cell counts whole as soon as tissue touches it."""
        return float(self.raster.areas_mm2()[np.isfinite(self.grid)].sum())

    @property
    def tumour_mm2(self) -> float:
        """Area of the cells above the threshold."""
        above = np.nan_to_num(self.grid, nan=-1.0) > self.threshold
        return float(self.raster.areas_mm2()[above].sum())


def squares_side(raster: Raster) -> int:
    """Cells along the side of the square of about `RISK_MM2`, at least one."""
    return max(1, round(float(np.sqrt(RISK_MM2)) * 1000 / raster.cell_um))


def _highest_mean(grid: Float[np.ndarray, "rows columns"], side: int) -> float:
    known: Float64[np.ndarray, "rows columns"] = np.nan_to_num(grid.astype(np.float64))
    # squares that reach beyond the image hold glass there
    sums = cv2.integral(np.pad(known, side - 1))
    inside = sums[side:, side:] - sums[:-side, side:] - sums[side:, :-side] + sums[:-side, :-side]
    return float(np.clip(inside.max() / side**2, 0.0, 1.0))


def write_map(path: Path, drawn: SlideMap, key: str) -> None:
    """Store grid, geometry and the settings' key as safetensors, whole or not at all."""
    from safetensors.numpy import save

    rows, columns = drawn.raster.edges()
    cells = {f.name: getattr(drawn.raster, f.name) for f in fields(drawn.raster)}
    facts = {"key": key, "threshold": drawn.threshold, "unlike": drawn.unlike, "raster": cells}
    content = {"probability": drawn.grid, "row_edges_px": rows, "column_edges_px": columns}
    write_bytes(path, save(content, {"facts": json.dumps(facts, sort_keys=True)}))


def read_map(path: Path, key: str) -> SlideMap | None:
    """The map that was stored under this key, None for a missing, damaged or other file."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            facts: dict[str, Any] = json.loads((file.metadata() or {})["facts"])
            if facts["key"] != key:
                return None
            grid = file.get_tensor("probability")
    except (OSError, SafetensorError, ValueError, KeyError):
        return None
    raster = facts["raster"] | {"size_px": tuple(facts["raster"]["size_px"])}
    return SlideMap(Raster(**raster), grid, facts["threshold"], facts["unlike"])

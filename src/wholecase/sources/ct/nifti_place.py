"""Where in a patient the voxels of a NIfTI volume lie."""

from typing import Any

import numpy as np
from jaxtyping import Float64

from wholecase.sources.source import Laid

MM = {"mm": 1.0, "meter": 1000.0, "micron": 0.001, "unknown": 1.0}


def is_laid(image: Any) -> bool:  # noqa: ANN401 (nibabel is not typed)
    """Whether a volume says where in the patient it lies."""
    return bool(image.header["sform_code"] or image.header["qform_code"])


def patient_mm(image: Any) -> Float64[np.ndarray, "4 4"]:  # noqa: ANN401
    """From a volume's indices to mm in the patient, to the left, to the back and upwards."""
    scale = MM[image.header.get_xyzt_units()[0]]
    turned: Float64[np.ndarray, "4 4"] = np.diag([-scale, -scale, scale, 1.0]) @ image.affine
    return turned


def laid_of(upright: Any, shape: tuple[int, ...]) -> Laid:  # noqa: ANN401
    """Of planes whose rows and columns run against the volume's axes."""
    along = patient_mm(upright)
    last = along[:3, 3] + along[:3, 0] * (shape[2] - 1) + along[:3, 1] * (shape[1] - 1)
    first = last + np.arange(shape[0])[:, None] * along[:3, 2]
    return Laid(first, -along[:3, 0], -along[:3, 1])

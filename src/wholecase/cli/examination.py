"""The doctor's examinations; each does a small real thing instead of asking for versions."""

import io
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

Finding = tuple[str, bool, str]


def examine() -> Iterator[Finding]:
    """(what, whether it works, what was found), one by one."""
    for name, look in EXAMINATIONS.items():
        try:
            yield name, True, look()
        except Exception as error:  # noqa: BLE001 (a doctor reports whatever is broken)
            yield name, False, f"{type(error).__name__}: {error}"


def _python() -> str:
    import platform

    return f"{platform.python_version()} on {platform.platform()}"


def _openslide() -> str:
    import numpy as np
    import openslide
    import tifffile

    from wholecase.sources import OpenSlideSource

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "slide.tif"
        pixels = np.full((512, 512, 3), 200, np.uint8)
        tifffile.imwrite(path, pixels, tile=(256, 256), photometric="rgb", compression="jpeg")
        with OpenSlideSource(path, 0.5) as source:
            source.read(0, 0, 64, 64)
    return f"openslide {openslide.__library_version__} reads a tiled JPEG TIFF"


def _codecs() -> str:
    import imagecodecs
    import numpy as np
    from PIL import Image

    pixels = np.zeros((16, 16, 3), np.uint8)
    for kind in ("jpeg", "png"):
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, kind)
        Image.open(buffer).load()
    imagecodecs.jpeg2k_decode(imagecodecs.jpeg2k_encode(pixels))
    return "JPEG, PNG and JPEG 2000 encode and decode"


def _torch() -> str:
    import torch

    from wholecase.assemble import available_devices

    for device in available_devices():
        torch.ones(8, 8, device=device).sum().item()
    return f"torch {torch.__version__}; devices: {', '.join(available_devices())}"


def _encoders() -> str:
    import timm
    import torchvision

    return f"torchvision {torchvision.__version__}, timm {timm.__version__}"


def _memory() -> str:
    import psutil

    memory, disk = psutil.virtual_memory(), psutil.disk_usage(str(Path.cwd()))
    return (
        f"{memory.available / 2**30:.1f} of {memory.total / 2**30:.1f} GiB free, "
        f"{disk.free / 2**30:.0f} GiB of disk here, {psutil.cpu_count(logical=False)} cores"
    )


def _writing() -> str:
    from wholecase.core.files import write_text

    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        write_text(Path(folder) / "probe.txt", "x")
    return "files can be written whole in this folder"


EXAMINATIONS: dict[str, Callable[[], str]] = {
    "python": _python,
    "slides": _openslide,
    "codecs": _codecs,
    "torch": _torch,
    "encoders": _encoders,
    "memory": _memory,
    "writing": _writing,
}

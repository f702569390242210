"""Which images are to be encoded: each content once, however many cases and files share it."""

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from wholecase.cohort import Image
from wholecase.core.digest import digest
from wholecase.core.errors import SourceError
from wholecase.core.regular import is_folder
from wholecase.encoders import Encoder
from wholecase.extract.plan import Plan
from wholecase.features import Store
from wholecase.instances import Cut, cut_for
from wholecase.sources import fingerprint

READERS = 8
"""Files that are hashed at a time, at most: hashing waits for the disk."""


class Reference(NamedTuple):
    """What of an image determines its bag."""

    path: Path
    kind: str
    mpp: float | None
    outline: Path | None = None
    """Of the tissue, where the manifest names one."""
    window: tuple[int, int] | None = None


@dataclass(frozen=True)
class Job:
    """One image to encode: where it lies, how it is cut, and where its bag goes."""

    image: Reference
    cut: Cut
    store: Store
    key: str
    tolerated: float
    """Share of its instances that may be undecodable."""


def reference(image: Image) -> Reference:
    """The image without what does not touch its bag: order, mask, magnification."""
    return Reference(image.path, image.kind, image.mpp, image.tissue, image.window)


def files_of(image: Reference) -> tuple[Path, ...]:
    """The paths whose contents determine the bag."""
    return (image.path,) if image.outline is None else (image.path, image.outline)


def fingerprints(paths: Iterable[Path], workers: int) -> tuple[dict[Path, str], dict[Path, str]]:
    """Content digests of what can be read, and for the others why not.

    Where a path stands for several files, as of a slide in DICOM, they count together.
    """
    distinct = list(dict.fromkeys(paths))
    with ThreadPoolExecutor(min(max(workers, 1), READERS)) as pool:
        found = dict(zip(distinct, pool.map(_fingerprint, distinct), strict=True))
    unread = {
        path: _why(path, error) for path, error in found.items() if not isinstance(error, str)
    }
    return {path: text for path, text in found.items() if isinstance(text, str)}, unread


def jobs_of(
    images: Iterable[Reference], plan: Plan, encoder: Encoder, digests: Mapping[Path, str]
) -> dict[Reference, Job]:
    """The job of every image whose content is known; equal contents share a store and a key."""
    stores: dict[str, Store] = {}
    jobs = {}
    for image in images:
        cut = cut_for(image.kind, plan.cut, image.mpp)
        settings = {
            "kind": image.kind,
            "cut": cut.settings,
            "encoder": encoder.identity,
            "width": encoder.width,
        }
        name = digest(**settings)
        if name not in stores:
            stores[name] = Store(plan.store, settings)
        outline = None if image.outline is None else digests[image.outline]
        key = stores[name].key(digests[image.path], image.mpp, outline, image.window)
        jobs[image] = Job(image, cut, stores[name], key, plan.tolerated_tiles)
    return jobs


def _fingerprint(path: Path) -> str | OSError | SourceError:
    try:
        return fingerprint(path)
    except (OSError, SourceError) as error:
        return error


def _why(path: Path, error: object) -> str:
    if isinstance(error, SourceError):
        return str(error)
    if isinstance(error, FileNotFoundError):
        return f"{path}: no such file; correct the path in the manifest"
    if is_folder(path):
        return f"{path}: a folder, not an image; give the path of the file itself"
    reason = error.strerror if isinstance(error, OSError) else error
    return f"{path}: cannot be read ({reason}); mend its rights or fetch it again"

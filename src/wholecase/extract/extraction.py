"""What extraction leaves: where each image's bag is, and which images have none."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from wholecase.cohort import Image
from wholecase.core.kinds import PixelKind
from wholecase.extract.fidelity import Fidelity
from wholecase.extract.jobs import Reference, reference
from wholecase.extract.plan import Failure
from wholecase.features import Bag, FeatureOrigin, PixelStore, Store


@dataclass(frozen=True)
class Extraction:
    """The bags of a cohort, on disk; small itself, and travels to workers."""

    identity: str
    """The encoder's; `pixels` where there was none."""
    width: int
    """Numbers per instance; of pixels the channels."""
    bags: Mapping[Reference, tuple[Store | PixelStore, str]]
    """Store and key of every image that has a bag, in the cohort's order."""
    failures: tuple[Failure, ...]
    """In the cohort's order."""
    digests: Mapping[Path, str]
    """Of the content of every file that could be read; of feature files, of their numbers."""
    seconds: Mapping[str, float]
    """Of all workers together by kind of work: `open`, `cut`, `read` (disk and decoder),
    `transform` (to the size of an instance), `encode`, `write`; `total` on the clock; and where
    this process encoded what workers read, `wait`, in which it had nothing to encode."""
    encoded: int
    """Contents that were encoded now."""
    reused: int
    """Contents that were in the store already, or that another process encoded meanwhile."""
    tiles: int
    """Instances that were encoded now."""
    skipped: Mapping[Reference, int]
    """Images that have a bag with gaps, and how many of their instances could not be decoded."""
    workers: int
    repeated: int = 0
    """Of the instances encoded now those that took the vector of another of equal pixels."""
    kind: PixelKind | None = None
    """Of the pixels; None for encoded vectors."""
    pictures: Mapping[Reference, Path] = field(default_factory=dict)
    """Of images in which tissue was looked for: what was found, or that nothing was."""
    origin: FeatureOrigin | None = None
    """What the feature files told of their making; None where pixels were read."""
    fidelity: tuple[Fidelity, ...] = ()
    """Of networks that were not computed exactly: how their vectors lie to exact ones."""
    notes: tuple[str, ...] = ()
    """Sentences about what was read and is doubtful, for people."""

    def has(self, image: Image) -> bool:
        """Whether the image has a bag."""
        return reference(image) in self.bags

    def bag(self, image: Image) -> Bag | None:
        """The image's bag, or None where it failed.

        Where the file tells no spacing, the scale is the magnification from the manifest.

        Raises:
            StoreError: the bag was damaged or removed since.
        """
        if not self.has(image):
            return None
        store, key = self.bags[reference(image)]
        bag = store.read(key)
        if image.magnification is None:
            return bag
        # not stored: the same file may stand in another manifest with another magnification
        scale = np.where(np.isnan(bag.scale), np.float32(image.magnification), bag.scale)
        return replace(bag, scale=scale)

    @property
    def pixels(self) -> PixelStore | None:
        """Where the pixels are, for a model that learns from them; None for encoded bags."""
        store = next((store for store, _ in self.bags.values()), None)
        return store if isinstance(store, PixelStore) else None

    def picture(self, image: Image) -> Path | None:
        """The picture of what was taken as tissue on an image, in the store."""
        return self.pictures.get(reference(image))

    def instances(self, image: Image) -> int:
        """How many instances the image's bag holds; 0 where it failed."""
        if not self.has(image):
            return 0
        store, key = self.bags[reference(image)]
        return store.glance(key).instances

    def squares(self, image: Image) -> int | None:
        """Of how many the image's instances were chosen; None where all were taken."""
        if not self.has(image):
            return None
        store, key = self.bags[reference(image)]
        told = store.glance(key).facts.get("squares")
        return None if told is None else int(told)

    def size_px(self, image: Image) -> tuple[int, int] | None:
        """Width and height of the image at level 0, or None where it failed or nothing tells."""
        if not self.has(image):
            return None
        store, key = self.bags[reference(image)]
        facts = store.glance(key).facts
        if not {"width_px", "height_px"} <= facts.keys():  # a feature file may not tell
            return None
        return int(facts["width_px"]), int(facts["height_px"])

    def key(self, image: Image) -> str:
        """The name of the image's bag in its store; the image has one."""
        return self.bags[reference(image)][1]

    def keys(self, images: Iterable[Image]) -> list[str]:
        """Names for the contents of these images' bags, less the images that failed."""
        names = []
        for image in images:
            if self.has(image):
                store, key = self.bags[reference(image)]
                power = "" if image.magnification is None else f"@{image.magnification!r}x"
                names.append(f"{store.digest}/{key}{power}")
        return names

"""Cases whose instances are pixels on disk: a batch is read in one go, and nothing is kept."""

from collections.abc import Sequence
from typing import final

import numpy as np
import torch
from jaxtyping import Int64

from wholecase.answer.targets import covariates_of, targets_of
from wholecase.cohort import Case
from wholecase.extract import Extraction
from wholecase.features import PixelStore
from wholecase.models import Batch
from wholecase.training import Example, Examples


@final
class PixelExamples(Examples):
    """The cases of one side; some thirty bytes per instance stay in memory, its pixels on disk.

    Args:
        cases: each with at least one decoded image.
        extraction: its bags are pixels.
        store: where they are.
        classes: how many; 0 leaves the examples without targets.
    """

    def __init__(
        self, cases: Sequence[Case], extraction: Extraction, store: PixelStore, *, classes: int
    ) -> None:
        self._cases, self._store = tuple(cases), store
        self._classes = classes
        there = [
            (n, i, *store.rows(extraction.key(image)), image.magnification)
            for n, case in enumerate(self._cases)
            for i, image in enumerate(case.images)
            if extraction.has(image)
        ]
        case_of, image_of, begins, ends, power = (np.array(c) for c in zip(*there, strict=True))
        lengths = ends - begins
        bounds = np.concatenate([[0], lengths.cumsum()])
        offsets = np.repeat(begins - bounds[:-1], lengths)
        self._rows: Int64[np.ndarray, " T"] = np.arange(bounds[-1]) + offsets
        self._image = np.repeat(image_of, lengths)
        first = np.searchsorted(case_of, np.arange(len(self._cases) + 1))
        self._starts: Int64[np.ndarray, " bounds"] = bounds[first]
        powers = np.repeat(power.astype(np.float32), lengths)
        scale = store.column("scale", self._rows)
        self._scale = np.where(np.isnan(scale), powers, scale)
        self._position = store.column("position_um", self._rows)

    def __len__(self) -> int:
        return len(self._cases)

    def __getitem__(self, index: int) -> Example:
        batch = self.batch([index])
        case = self._cases[index]
        return Example(
            case=case.id,
            patient=case.patient,
            values=batch.values,
            scale=batch.scale,
            position=batch.position,
            targets={name: target[0] for name, target in batch.targets.items()},
            covariates=None if batch.covariates is None else batch.covariates[0],
            image=torch.from_numpy(self._image[slice(*self._starts[index : index + 2])]),
        )

    def batch(self, indices: Sequence[int]) -> Batch:
        """Cases side by side, their pixels [T, channels, H, W] in one reading."""
        which = np.asarray(indices, np.int64)
        lengths = np.diff(self._starts)[which]
        bounds = np.concatenate([[0], lengths.cumsum()])
        place = np.arange(bounds[-1]) + np.repeat(self._starts[which] - bounds[:-1], lengths)
        pixels = self._store.gather(self._rows[place])
        cases = [self._cases[i] for i in which.tolist()]
        return Batch(
            values=torch.from_numpy(pixels).permute(0, 3, 1, 2),
            starts=torch.from_numpy(bounds),
            cases=tuple(case.id for case in cases),
            patients=tuple(case.patient for case in cases),
            scale=torch.from_numpy(self._scale[place]),
            position=torch.from_numpy(self._position[place]),
            targets=targets_of(cases, self._classes),
            covariates=covariates_of(cases),
            images=torch.from_numpy(self._image_bounds(place, bounds)),
        )

    def instances(self, index: int) -> int:
        """From memory."""
        begin, end = self._starts[index : index + 2].tolist()
        return int(end - begin)

    def patient(self, index: int) -> str:
        """From the manifest."""
        return self._cases[index].patient

    def label(self, index: int) -> int | None:
        """From the manifest."""
        return self._cases[index].target

    def _image_bounds(self, place: np.ndarray, bounds: np.ndarray) -> Int64[np.ndarray, " b"]:
        """Where an image or a case begins, and the end."""
        fresh = np.diff(self._image[place], prepend=-1) != 0
        fresh[bounds[:-1]] = True
        return np.append(np.flatnonzero(fresh), len(place)).astype(np.int64)

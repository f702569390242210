"""Features are stored by image and assembled by case."""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, final

import numpy as np
import torch
from jaxtyping import Float32, Int, Int64, Integer
from torch import Tensor

from wholecase.answer.pixel_examples import PixelExamples
from wholecase.answer.targets import covariates_of, targets_of
from wholecase.cohort import Case
from wholecase.extract import Extraction
from wholecase.features import Bag
from wholecase.models import Batch, CaseModel
from wholecase.training import Example, Examples, pack, past


@dataclass(frozen=True)
class CaseBag:
    """The instances of all images of a case, image after image."""

    values: Float32[np.ndarray, "N D"] | Integer[np.ndarray, "N side side channels"]
    """Vectors, or pixels for a model that learns from them."""
    scale: Float32[np.ndarray, " N"]
    position_um: Float32[np.ndarray, "N 3"]
    box_px: Int64[np.ndarray, "N 4"]
    image: Int64[np.ndarray, " N"]
    """Index into `Case.images`."""
    plane: Int64[np.ndarray, " N"] | None = None
    """Number of the slice of its image; None where all lie on the first."""


def has_bag(case: Case, extraction: Extraction) -> bool:
    """Whether an image of the case was encoded."""
    return any(extraction.has(image) for image in case.images)


def case_bag(case: Case, extraction: Extraction) -> CaseBag:
    """The bag of a case that has one; images that failed are missing from it."""
    there = [(i, extraction.bag(image)) for i, image in enumerate(case.images)]
    bags: list[tuple[int, Bag]] = [(i, bag) for i, bag in there if bag is not None]
    return CaseBag(
        values=np.concatenate([bag.values for _, bag in bags]),
        scale=np.concatenate([bag.scale for _, bag in bags]),
        position_um=np.concatenate([bag.position_um for _, bag in bags]),
        box_px=np.concatenate([bag.box_px for _, bag in bags]),
        image=np.concatenate([np.full(len(bag), i, np.int64) for i, bag in bags]),
        plane=_planes([bag for _, bag in bags]),
    )


@dataclass(frozen=True)
class Reading:
    """A case that was read, for as many members as judge it."""

    case: Case
    bag: CaseBag
    example: Example
    """The bag as a model takes it."""
    _past: dict[tuple[str, bool], Example] = field(
        init=False, repr=False, compare=False, default_factory=dict
    )

    def past(self, model: CaseModel, front: str, *, maps: bool = False) -> Example:
        """The example past a model's network, or up to its `maps`; once for all of one `front`."""
        if not front:
            return past(model, self.example, maps=maps)
        if (front, maps) not in self._past:
            self._past[front, maps] = past(model, self.example, maps=maps)
        return self._past[front, maps]

    def only(self, kept: Int[Tensor, " M"]) -> "Reading":
        """The same case with these of its instances."""
        rows, bag = kept.numpy(), self.bag
        columns: dict[str, Any] = {f.name: getattr(bag, f.name) for f in fields(bag)}
        part: dict[str, Any] = {name: None if c is None else c[rows] for name, c in columns.items()}
        return Reading(self.case, CaseBag(**part), self.example.only(kept))


def read_case(case: Case, extraction: Extraction) -> Reading:
    """Read a case that has a bag."""
    bag = case_bag(case, extraction)
    return Reading(case, bag, example_of(case, bag))


def _planes(bags: Sequence[Bag]) -> Int64[np.ndarray, " N"] | None:
    if all(bag.plane is None for bag in bags):
        return None
    flat = [np.zeros(len(bag), np.int64) if bag.plane is None else bag.plane for bag in bags]
    return np.concatenate(flat)


def example_of(case: Case, bag: CaseBag) -> Example:
    """A case and its bag as a model takes them, without a target; pixels as [N, channels, H, W]."""
    values, beside = torch.from_numpy(bag.values), covariates_of([case])
    return Example(
        case=case.id,
        patient=case.patient,
        values=values.permute(0, 3, 1, 2) if values.dim() == 4 else values,
        scale=torch.from_numpy(bag.scale),
        position=torch.from_numpy(bag.position_um),
        covariates=None if beside is None else beside[0],
        image=torch.from_numpy(bag.image),
    )


def examples_of(cases: Sequence[Case], extraction: Extraction, *, classes: int) -> Examples:
    """The cases of one side, each with a bag; 0 classes leaves them without targets."""
    if extraction.pixels is not None:
        return PixelExamples(cases, extraction, extraction.pixels, classes=classes)
    return CaseExamples(cases, extraction, classes=classes)


@final
class CaseExamples(Examples):
    """The cases of one side, read from the store when first asked for and kept within a bound.

    Args:
        cases: each with at least one encoded image.
        extraction: where the bags are.
        classes: how many; 0 leaves the examples without targets.
        keep_bytes: features kept in memory; beyond it they are read anew each time.
    """

    def __init__(
        self,
        cases: Sequence[Case],
        extraction: Extraction,
        *,
        classes: int,
        keep_bytes: int = 4 * 2**30,
    ) -> None:
        self._cases, self._extraction = tuple(cases), extraction
        self._classes = classes
        self._kept: dict[int, Example] = {}
        self._left = keep_bytes

    def __len__(self) -> int:
        return len(self._cases)

    def __getitem__(self, index: int) -> Example:
        if index in self._kept:
            return self._kept[index]
        example = self._read(self._cases[index])
        size = example.values.numel() * example.values.element_size()
        if size <= self._left:
            self._kept[index] = example
            self._left -= size
        return example

    def batch(self, indices: Sequence[int]) -> Batch:
        """Case after case."""
        return pack([self[i] for i in indices])

    def instances(self, index: int) -> int:
        """From the files' headers."""
        images = self._cases[index].images
        return sum(self._extraction.instances(image) for image in images)

    def patient(self, index: int) -> str:
        """From the manifest."""
        return self._cases[index].patient

    def label(self, index: int) -> int | None:
        """From the manifest."""
        return self._cases[index].target

    def _read(self, case: Case) -> Example:
        example = example_of(case, case_bag(case, self._extraction))
        targets = targets_of([case], self._classes)
        return replace(example, targets={name: target[0] for name, target in targets.items()})

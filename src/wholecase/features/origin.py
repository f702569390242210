"""What feature files say made them, and whether two of them can stand in one cohort.

Encoder, width, scale and size of tiles are the file's own words: where they differ the files are
mixed. What the numbers show is a hint: networks differ in whether they give negative numbers, and
in how long their vectors are.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from wholecase.core.errors import RunError
from wholecase.core.units import spacing_of_power

SAME_SPACING = 1.25
"""Scanners of one objective power differ by less, neighbouring powers by more."""
SAME_LENGTH = 5.0
"""Vectors of one network are less than so many times as long in one file as in another."""


@dataclass(frozen=True)
class FeatureOrigin:
    """What is known of the making of features; None where it is not told."""

    encoder: str | None
    width: int
    """Numbers per tile."""
    magnification: float | None = None
    """That the tiles were seen at, as the file names it."""
    spacing_um: float | None = None
    """µm per pixel as the encoder saw it."""
    patch_px: float | None = None
    """Side of a tile as the encoder saw it."""
    negative: bool | None = None
    """Whether some number is negative; None of files that differ in it."""
    length: float | None = None
    """Of a tile's vector, the median."""

    @property
    def scale_um(self) -> float | None:
        """µm per pixel, told or by magnification."""
        if self.spacing_um is None and self.magnification is not None:
            return spacing_of_power(self.magnification)
        return self.spacing_um

    @property
    def scale(self) -> str:
        """The scale in words; empty where it is not told."""
        scales = [] if self.magnification is None else [f"{self.magnification:g}x"]
        if self.spacing_um is not None:
            scales.append(f"{self.spacing_um:.4g} µm/px")
        return f"{scales[0]} ({scales[1]})" if len(scales) > 1 else "".join(scales)


Named = tuple[Path, FeatureOrigin]
"""A file, or a run, and what is known of its features."""


@dataclass(frozen=True)
class _Question:
    """One thing in which features may differ."""

    is_given: Callable[[FeatureOrigin], bool]
    differ: Callable[[FeatureOrigin, FeatureOrigin], bool]
    words: Callable[[FeatureOrigin], str]
    cure: str


def _scales_differ(one: FeatureOrigin, other: FeatureOrigin) -> bool:
    low, high = sorted((one.scale_um or 1.0, other.scale_um or 1.0))
    if high > SAME_SPACING * low * (1 + 1e-6):
        return True
    if one.magnification is None or other.magnification is None:
        return False
    # where the manifest's spacing makes them equal, it goes before their magnification
    equal = math.isclose(low, high, rel_tol=0.01)
    return not equal and not math.isclose(one.magnification, other.magnification, rel_tol=0.01)


_WIDTH = _Question(
    lambda _: True,
    lambda one, other: one.width != other.width,
    lambda one: f"{one.width} numbers per tile",
    "leave one kind out",
)
_ENCODER = _Question(
    lambda _: True,
    lambda one, other: one.encoder != other.encoder,
    lambda one: f"the encoder {one.encoder}" if one.encoder else "no encoder's name",
    "leave one kind out, or name their common encoder under encoder.identity",
)
_SCALE = _Question(
    lambda one: one.scale_um is not None,
    _scales_differ,
    lambda one: f"tiles at {one.scale}",
    "leave one kind out, or extract all at one magnification",
)
_PATCH = _Question(
    lambda one: one.patch_px is not None,
    lambda one, other: not math.isclose(one.patch_px or 0, other.patch_px or 0, rel_tol=1e-3),
    lambda one: f"tiles of {one.patch_px:g} px",
    "leave one kind out, or extract all in tiles of one size",
)


def mixture(files: Sequence[Named], identity: str | None = None) -> str | None:
    """Why these files cannot stand in one cohort, in one sentence; None where they can.

    Args:
        files: at least one.
        identity: the network's name, where the files do not tell it or each tell it otherwise;
            then their names need not agree.
    """
    for question in _questions(named=identity is not None):
        known = [file for file in files if question.is_given(file[1])]
        for path, origin in known[1:]:
            if question.differ(known[0][1], origin):
                one, other = question.words(known[0][1]), question.words(origin)
                return (
                    f"feature files are mixed: {known[0][0]} has {one}, {path} has {other}; "
                    f"{question.cure}"
                )
    return None


def doubt(files: Sequence[Named]) -> str | None:
    """Why these files look like two encoders although nothing says so; None where they do not."""
    if (why := _signs_differ(files) or _lengths_differ(files)) is None:
        return None
    return (
        f"the features look like two encoders: {why}; make sure that one network made them all, in "
        "one way"
    )


def _signs_differ(files: Sequence[Named]) -> str | None:
    first: dict[bool | None, Path] = {}
    for path, origin in files:
        first.setdefault(origin.negative, path)
    if not first.keys() >= {True, False}:
        return None
    return f"{first[False]} holds no negative number and {first[True]} does"


def _lengths_differ(files: Sequence[Named]) -> str | None:
    lengths = [(origin.length, path) for path, origin in files if origin.length]
    if not lengths:
        return None
    (short, low), (long, high) = min(lengths), max(lengths)
    if long < SAME_LENGTH * short:
        return None
    return f"vectors of {high} are {long / short:.2g} times as long as those of {low}"


def common_origin(origins: Sequence[FeatureOrigin]) -> FeatureOrigin:
    """What is known of all of them together, once they are no mixture: of each thing the first."""
    first = origins[0]
    scaled = next((one for one in origins if one.scale_um is not None), first)
    lengths = [one.length for one in origins if one.length is not None]
    signs = {one.negative for one in origins}
    return FeatureOrigin(
        encoder=first.encoder,
        width=first.width,
        magnification=scaled.magnification,
        spacing_um=scaled.spacing_um,
        patch_px=next((one.patch_px for one in origins if one.patch_px is not None), None),
        negative=signs.pop() if len(signs) == 1 else None,
        length=median(lengths) if lengths else None,
    )


def refuse_other_origin(run: Path, known: FeatureOrigin, given: FeatureOrigin) -> None:
    """Pass features that are as those that a run was trained on, as far as both are told.

    Names of encoders are compared by the identity that the run keeps.

    Raises:
        RunError: they differ; names both values.
    """
    for question in _questions(named=True):
        both = question.is_given(known) and question.is_given(given)
        if both and question.differ(known, given):
            raise RunError(
                f"{run} was trained on features of {question.words(known)}, these have "
                f"{question.words(given)}; extract them as the run's were"
            )


def _questions(*, named: bool) -> tuple[_Question, ...]:
    return (_WIDTH, _SCALE, _PATCH) if named else (_WIDTH, _ENCODER, _SCALE, _PATCH)

"""PatchCamelyon as published (Veeling 2018): patches and labels in HDF5, slides in CSV."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path

from wholecase.cohort.cases import UNKNOWN
from wholecase.cohort.identity import by_likeness, likeness_key
from wholecase.cohort.importers.files import require_folder
from wholecase.cohort.importers.long_draft import Line, LongDraft
from wholecase.cohort.importers.unpack import unpacked
from wholecase.cohort.split import some
from wholecase.cohort.table import read_table
from wholecase.core.errors import ManifestError
from wholecase.core.hdf5 import data_set, open_hdf5

STEM = "camelyonpatch_level_2_split_"
SIDES = ("train", "valid", "test")
LABELS = ("normal", "tumor")
"""By the value of `y`: whether the central 32 x 32 pixels hold tumour."""
SPACING_UM = 0.97
COLUMNS = ("case_id", "patient_id", "path", "kind", "label", "mpp", "split")


@dataclass(frozen=True)
class _Side:
    """One of the official sides."""

    name: str
    file: str
    labels: bytes
    """0 or 1 per patch."""
    slides: Sequence[str] | None
    """Per patch; None where there is no meta file."""
    contradicting: int = 0
    """Patches whose meta data say another label."""


def pcam(root: Path, *, drop_split: bool = False) -> LongDraft:
    """A row per patch, `..._x.h5#17`; the slide is the patient, the official side the split.

    Packed files are unpacked beside themselves first. Without a meta file the patients of a side
    are `unknown`.

    Args:
        root: the folder of the published files.
        drop_split: leave the official sides out, so that a recipe divides by slide.

    Raises:
        ManifestError: there are no such files, they do not fit each other, or a slide is on two
            official sides.
        SourceError: a file is damaged.
    """
    require_folder(root)
    made = [
        name
        for side in SIDES
        for part in ("x", "y")
        if unpacked(root / (name := f"{STEM}{side}_{part}.h5"))
    ]
    sides = [_side(root, name) for name in SIDES if (root / f"{STEM}{name}_x.h5").is_file()]
    if not sides:
        raise ManifestError(
            f"{root}: no {STEM}train_x.h5 or others of PatchCamelyon; give the folder that holds "
            "them, packed as .h5.gz or not"
        )
    if not drop_split:
        _refuse_shared(root, sides)
    columns = COLUMNS[:-1] if drop_split else COLUMNS

    def lines(way: str) -> Iterator[Line]:
        for side in sides:
            for line in _lines(side, way):
                yield line[: len(columns)]

    return LongDraft(root, columns, lines, tuple(_told(root, sides, made)))


def _side(root: Path, name: str) -> _Side:
    file = f"{STEM}{name}_x.h5"
    with open_hdf5(root / file) as patches:
        shape = data_set(root / file, patches, "x").shape
    if len(shape) != 4:
        raise ManifestError(
            f"{root / file}: x has shape {shape}, not [N, 96, 96, 3]; fetch it again"
        )
    count = shape[0]
    labels = _labels(root / f"{STEM}{name}_y.h5", count)
    meta = root / f"{STEM}{name}_meta.csv"
    if not meta.is_file():
        return _Side(name, file, labels, None)
    slides, flags = _meta(meta, count)
    pairs = zip(flags, labels, strict=True)
    contradicting = sum(flag is not None and flag != bool(y) for flag, y in pairs)
    return _Side(name, file, labels, slides, contradicting)


def _labels(path: Path, count: int) -> bytes:
    import numpy as np

    with open_hdf5(path) as file:
        data = data_set(path, file, "y")
        if data.size != count:
            raise ManifestError(
                f"{path}: labels of shape {data.shape} for {count} patches; fetch both again"
            )
        labels = np.asarray(data).reshape(-1)
    if not np.isin(labels, (0, 1)).all():
        raise ManifestError(f"{path}: labels other than 0 and 1; fetch it again")
    return labels.astype(np.uint8).tobytes()


def _meta(path: Path, count: int) -> tuple[list[str], list[bool | None]]:
    """The slide of each patch, and whether its centre holds tumour where that is said."""
    names: dict[str, str] = {}
    slides, flags = [], []
    for row in read_table(path, ("wsi",)):
        slide = row.required("wsi")
        slides.append(names.setdefault(slide, slide))
        flags.append(row.flag("center_tumor_patch") if row.text("center_tumor_patch") else None)
    if len(slides) != count:
        raise ManifestError(f"{path}: {len(slides)} rows for {count} patches; fetch both again")
    return slides, flags


def _refuse_shared(root: Path, sides: Sequence[_Side]) -> None:
    where: dict[str, list[str]] = defaultdict(list)
    spelt = by_likeness(slide for side in sides for slide in dict.fromkeys(side.slides or ()))
    for side in sides:
        for slide in dict.fromkeys(map(likeness_key, dict.fromkeys(side.slides or ()))):
            where[slide].append(side.name)
    shared = [f"{spelt[key]} ({' and '.join(on)})" for key, on in where.items() if len(on) > 1]
    if shared:
        raise ManifestError(
            f"{root}: slides are on two official sides: {some(shared)}; give --drop-split to leave "
            "the sides out and let the recipe divide by slide"
        )


def _lines(side: _Side, way: str) -> Iterator[Line]:
    slides = side.slides if side.slides is not None else repeat(UNKNOWN)
    for i, (label, slide) in enumerate(zip(side.labels, slides, strict=False)):
        yield (
            *(f"{side.name}-{i}", slide, f"{way}{side.file}#{i}", "tile"),
            *(LABELS[label], f"{SPACING_UM}", side.name),
        )


def _told(root: Path, sides: Sequence[_Side], made: Sequence[str]) -> Iterator[str]:
    for name in made:
        yield f"{root / name}.gz stays as it is; {name} was unpacked beside it and is used"
    known = {side.name for side in sides}
    for name in SIDES:
        if name not in known:
            yield f"{root}: no {STEM}{name}_x.h5, so the side {name!r} is missing"
    for side in sides:
        if side.slides is None:
            meta = f"{STEM}{side.name}_meta.csv"
            yield f"{root}: no {meta}, so the slides of {side.name!r} are unknown"
        if side.contradicting:
            yield (
                f"{root}: {side.contradicting} rows of {STEM}{side.name}_meta.csv contradict the "
                "labels of y, which are used"
            )

"""Images without a manifest: each is a case of its own."""

from collections.abc import Sequence
from pathlib import Path

from wholecase.cohort.cases import Case, Cohort, Image
from wholecase.cohort.identity import identity_key
from wholecase.core.errors import ManifestError

SLIDE_SUFFIXES = frozenset(
    (".svs", ".ndpi", ".mrxs", ".scn", ".bif", ".tif", ".tiff", ".dcm", ".vms", ".svslide")
)
"""Files that are read as slides where no manifest says what they are."""
FEATURE_SUFFIXES = frozenset((".h5", ".hdf5", ".pt"))
"""Files that hold features; all others are tiles."""


def cohort_of_images(paths: Sequence[Path], *, kind: str | None = None) -> Cohort:
    """An unlabelled cohort with one case and patient per image, named after the file.

    Files that share a name get `-2`, `-3` and so on behind it, in the order given. All are of that
    `kind`; None goes by their names.

    Raises:
        ManifestError: there are no paths.
    """
    if not paths:
        raise ManifestError("there are no images; name at least one")
    cases: dict[str, Case] = {}
    for line, path in enumerate(paths, start=1):
        name = _free(path.stem.removesuffix(".nii"), cases)
        image = Image(path, kind or kind_of(path), line)
        cases[identity_key(name)] = Case(id=name, patient=name, images=(image,))
    return Cohort(path=paths[0].parent, cases=tuple(cases.values()), classes=())


def kind_of(path: Path) -> str:
    """What a file is taken for by its name.

    >>> kind_of(Path("a.svs")), kind_of(Path("a.png")), kind_of(Path("a.h5"))
    ('slide', 'tile', 'features')
    """
    suffix = path.suffix.lower()
    if suffix in FEATURE_SUFFIXES:
        return "features"
    return "slide" if suffix in SLIDE_SUFFIXES else "tile"


def _free(stem: str, taken: dict[str, Case]) -> str:
    name, number = stem, 1
    while identity_key(name) in taken:
        number += 1
        name = f"{stem}-{number}"
    return name

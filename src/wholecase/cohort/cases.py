"""Who, with which label, from which images."""

from dataclasses import dataclass, replace
from pathlib import Path

from wholecase.cohort.remarks import Remark

KINDS = ("slide", "tile", "still", "ct", "features")
"""What the manifest's `kind` may say: whole-slide image, ready tile, photograph, CT series; or a
file of features that another tool extracted from a slide."""

UNKNOWN = "unknown"
"""What `patient_id` says, in any capitals, where nobody knows whose the images are."""


@dataclass(frozen=True, slots=True)
class Image:
    """One picture of a case, as the manifest tells it."""

    path: Path
    """The file or folder; `file.h5#17` for one picture of many, `folder#4` for one series."""
    kind: str
    line: int
    """The manifest's line, counted from 1, for messages."""
    order: float | None = None
    mpp: float | None = None
    """Spacing in µm/px that overrides what the file says."""
    window: tuple[int, int] | None = None
    """Which stored samples are shown black and white, where they have more than 8 bits."""
    magnification: float | None = None
    mask: Path | None = None
    """An annotation over the whole image, white where the finding is; only ever used to judge."""
    tissue: Path | None = None
    """An outline of the tissue, drawn or mended by hand, as GeoJSON."""
    train_only: bool = False
    """An augmented copy: may train, is never tested on."""
    groups: tuple[str | None, ...] = ()
    """What the columns of `Cohort.counted` say of it; nothing learns from it."""


@dataclass(frozen=True, slots=True)
class Target:
    """A further label of a case, that another head learns."""

    name: str
    index: int | None
    """Of the class; None where the case has no such label."""
    classes: int
    """How many there are."""
    text: str | None = None
    """As the manifest writes it."""


@dataclass(frozen=True, slots=True)
class Covariate:
    """What a column of the manifest tells of a patient beside the images."""

    column: str
    kind: str
    """`number` or `category`."""
    value: float | str | None
    """None where it is missing."""


@dataclass(frozen=True, slots=True)
class Case:
    """What gets one label and one answer."""

    id: str
    patient: str
    """Who is never on two sides (`unit`); the case itself where the manifest says `unknown`."""
    images: tuple[Image, ...]
    label: str | None = None
    """As the manifest writes it; None where the cohort is unlabelled."""
    target: int | None = None
    """Index into `Cohort.classes`; None where the cohort is unlabelled."""
    site: str | None = None
    split: str | None = None
    """`train`, `valid` or `test` where the manifest says so."""
    targets: tuple[Target, ...] = ()
    """Further labels, in the order of the recipe."""
    covariates: tuple[Covariate, ...] = ()
    """Clinical columns, in the order of the recipe; the same for all cases of a patient."""
    is_image: bool = False
    """Whether it is one image of a case, divided without regard to the patient (`by_image`)."""

    @property
    def unit(self) -> str:
        """What is never on two sides: the patient, or of a cohort taken apart the image."""
        return self.id if self.is_image else self.patient

    @property
    def testable(self) -> bool:
        """Whether an image is left to judge the case by."""
        return any(not image.train_only for image in self.images)

    @property
    def judged(self) -> "Case":
        """The case as it stands on a validation or test side: without its `train_only` images."""
        kept = tuple(image for image in self.images if not image.train_only)
        return self if kept == self.images else replace(self, images=kept)


@dataclass(frozen=True)
class Cohort:
    """The cases of a study, in the manifest's order."""

    path: Path
    cases: tuple[Case, ...]
    classes: tuple[str, ...]
    """Names of the classes; with two, the second is the positive one. Empty when unlabelled."""
    ignored: tuple[Case, ...] = ()
    """Cases whose label the recipe lists under `ignore`."""
    counted: tuple[str, ...] = ()
    """Columns by whose values images are counted, beside their labels."""
    anonymous: int = 0
    """Cases whose patient is unknown: each counts as a patient of its own."""
    remarks: tuple[Remark, ...] = ()
    """What is odd about the manifest and stops nothing."""

    @property
    def patients(self) -> tuple[str, ...]:
        """Distinct patients in order of first appearance."""
        return tuple(dict.fromkeys(case.patient for case in self.cases))


def by_image(cohort: Cohort) -> Cohort:
    """Each image as a case of its own, so that pictures of a patient may lie on several sides.

    Whose they are stays known: intervals are by patient all the same.
    """
    apart = tuple(
        replace(case, id=f"{case.id}#{number}", images=(image,), is_image=True)
        for case in cohort.cases
        for number, image in enumerate(case.images)
    )
    return cohort if any(case.is_image for case in cohort.cases) else replace(cohort, cases=apart)

"""The images that gave no bag, told for every case that they belong to."""

from collections.abc import Mapping

from wholecase.cohort import Cohort
from wholecase.extract.jobs import Reference, reference
from wholecase.extract.plan import Failure

Trouble = tuple[str, str]
"""Stage and reason."""


def failures_of(cohort: Cohort, troubles: Mapping[Reference, Trouble]) -> tuple[Failure, ...]:
    """The troubles of a cohort's images, in its order."""
    return tuple(
        Failure(case.id, case.patient, image.path, *troubles[reference(image)])
        for case in cohort.cases
        for image in case.images
        if reference(image) in troubles
    )

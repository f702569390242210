"""The images that gave no bag, told for every case that they belong to."""

from collections.abc import Mapping

from wholecase.cohort import Cohort
from wholecase.core.errors import WholecaseError, WorkerDied
from wholecase.extract.jobs import Reference, reference
from wholecase.extract.plan import KILLED, Failure

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


def stage_of(error: WholecaseError | None) -> str:
    """Where an image failed of which nothing else is known: reading, unless its worker was killed.

    The images of killed workers may be whole: a cohort that lacks them is not done.
    """
    return KILLED if isinstance(error, WorkerDied) and error.killed else "read"

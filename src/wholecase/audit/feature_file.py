"""A file of features that another tool extracted, read as a run would read it."""

from wholecase.audit.sight import Sight
from wholecase.cohort import Image
from wholecase.core.errors import SourceError
from wholecase.features import read_foreign


def look_at_features(image: Image) -> Sight:
    """Whether the file can be used, what it says of its making, and what its numbers show."""
    try:
        read = read_foreign(image.path, image.mpp)
    except SourceError as error:
        return Sight(trouble=str(error))
    return Sight(
        rung="a feature file tells no spacing",
        content=read.numbers.digest,
        features=read.origin,
        numbers=read.numbers,
    )

"""One family of errors; each names the culprit and the cure in one sentence."""

from typing import Any

from wholecase.core.visible import visible


class WholecaseError(Exception):
    """Something that the user can mend. Caught once, by the command line."""

    def __str__(self) -> str:
        """The sentence; names in it cannot steer the terminal that shows it."""
        return visible(super().__str__())


class ManifestError(WholecaseError):
    """The cohort file is wrong; names file, line and column."""


class SplitError(WholecaseError):
    """Patients cannot be divided as asked, or somebody stands on two sides."""


class SourceError(WholecaseError):
    """One image cannot be used. Costs that image, never the batch."""


class SpacingError(SourceError):
    """The physical size of a pixel is unknown, cannot be, or does not fit what is asked for."""


class NoTissueError(SourceError):
    """The image was read, and holds no tissue."""

    def __init__(self, message: str, picture: Any = None) -> None:  # noqa: ANN401
        super().__init__(message)
        self.picture = picture
        """The small image that was judged, uint8 [h, w, 3], or None; it survives pickling."""


class StoreError(WholecaseError):
    """Stored features are missing, damaged or of another kind than asked for."""


class RecipeError(WholecaseError):
    """A recipe names something unknown or gives a value that cannot be."""


class WeightsError(WholecaseError):
    """A weight file does not belong to the network."""


class RunError(WholecaseError):
    """A run folder is incomplete, or of another version, or cannot be made."""

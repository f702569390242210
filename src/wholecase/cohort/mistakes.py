"""What is wrong with a manifest: told at once, or gathered until all is known."""

import contextlib
from collections.abc import Iterator
from typing import final

from wholecase.core.errors import ManifestError


@final
class Mistakes:
    """Where mistakes go; a run stops at the first one, a check wants them all."""

    def __init__(self, *, gather: bool) -> None:
        self.found: list[ManifestError] = []
        self._gather = gather

    @contextlib.contextmanager
    def heard(self) -> Iterator[None]:
        """Run a block; a mistake in it ends the block, and where they are gathered, no more."""
        try:
            yield
        except ManifestError as mistake:
            if not self._gather:
                raise
            self.found.append(mistake)

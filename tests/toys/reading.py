"""Which bags are read, and how often."""

import pytest

from wholecase.cohort import Image
from wholecase.extract import Extraction
from wholecase.features import Bag


def bags_read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Grows by the file name of each image whose bag is read from now on."""
    read: list[str] = []
    original = Extraction.bag

    def counted(self: Extraction, image: Image) -> Bag | None:
        read.append(image.path.name)
        return original(self, image)

    monkeypatch.setattr(Extraction, "bag", counted)
    return read

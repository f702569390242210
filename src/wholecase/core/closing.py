"""What holds a file open and gives it back when its `with` block ends."""

from abc import ABC, abstractmethod
from typing import TypeVar

Opened = TypeVar("Opened", bound="Closing")


class Closing(ABC):
    """Usable as `with ... as it`; whatever happens inside, it is closed behind it."""

    @abstractmethod
    def close(self) -> None:
        """Give the file back; reading afterwards is a `ValueError`."""

    def __enter__(self: Opened) -> Opened:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

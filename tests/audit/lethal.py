"""A path that takes the process down when a reader asks for its kind, as broken decoders do."""

import os
from pathlib import Path


class LethalPath(type(Path())):
    """Harmless in the process that made it."""

    home = os.getpid()

    def __reduce__(self):
        return LethalPath._elsewhere, (str(self), self.home)

    @staticmethod
    def _elsewhere(text, home):
        path = LethalPath(text)
        path.home = home
        return path

    def is_dir(self, **options):
        if os.getpid() != self.home:
            os._exit(11)
        return super().is_dir(**options)

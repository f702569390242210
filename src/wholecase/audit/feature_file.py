"""A file of features that another tool extracted, looked at without its vectors."""

import zipfile
from pathlib import Path

from wholecase.audit.sight import Sight
from wholecase.core.errors import SourceError
from wholecase.core.regular import refuse_irregular
from wholecase.features import glance_foreign


def look_at_features(path: Path) -> Sight:
    """Whether the file can be read; of a tensor file, only whether it is whole."""
    try:
        if path.suffix.lower() == ".pt":
            _check_tensor(path)
            return Sight(rung="a feature file tells no spacing")
        return Sight(rung="a feature file tells no spacing", features=glance_foreign(path))
    except SourceError as error:
        return Sight(trouble=str(error))


def _check_tensor(path: Path) -> None:
    """Pass a tensor file whose checksums hold; torch, which would read it, takes long to come."""
    refuse_irregular(path, SourceError)
    if not path.is_file():
        raise SourceError(f"{path}: no such file; correct the path in the manifest")
    try:
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
    except (OSError, zipfile.BadZipFile) as error:
        raise SourceError(f"{path}: damaged or no tensor file ({error}); fetch it again") from error
    if damaged is not None:
        raise SourceError(f"{path}: damaged ({damaged}); fetch the file again")

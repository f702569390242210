"""A weight file that is there and is the one its sidecar speaks of."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from wholecase.core.errors import WeightsError
from wholecase.core.regular import refuse_irregular
from wholecase.weights.packaged import is_packaged, packaged_file, reinstalled
from wholecase.weights.sidecar import Sidecar, read_sidecar


@dataclass(frozen=True)
class WeightFile:
    """Where weights lie, and what is known of them before they are loaded."""

    path: Path
    sha256: str
    """Of the whole file: part of the identity of what is made with it."""
    sidecar: Sidecar | None


def find_file(path: Path) -> Path:
    """The path in full, of a file that is there, or of that of the package which `path` names.

    Raises:
        WeightsError: it is not there, or the package is not installed.
    """
    if is_packaged(str(path)):
        return packaged_file(str(path))[0]
    path = path.expanduser()
    refuse_irregular(path, WeightsError)
    if not path.is_file():
        raise WeightsError(f"there is no weight file {path}; correct the path in the recipe")
    return path


def weight_file(path: Path) -> WeightFile:
    """The file with its checksum, compared with the sidecar's where there is one.

    `package:NAME` is the file that an installed package brings.

    Raises:
        WeightsError: there is no such file, or it is not the one that is spoken of.
    """
    if is_packaged(str(path)):
        return _of_package(str(path))
    path = find_file(path)
    sha256, sidecar = _sha256(path), read_sidecar(path)
    if sidecar is not None and sidecar.sha256 != sha256:
        raise WeightsError(
            f"{path} is not the file that {path.with_suffix('.json').name} speaks of: its sha256 "
            f"begins {sha256[:12]}, not {sidecar.sha256[:12]}; fetch it again"
        )
    return WeightFile(path, sha256, sidecar)


def _of_package(named: str) -> WeightFile:
    path, sidecar = packaged_file(named)
    sha256 = _sha256(path)
    if sidecar.sha256 != sha256:
        raise WeightsError(
            f"{path} is not the file that is known of {named}: its sha256 begins {sha256[:12]}, "
            f"not {sidecar.sha256[:12]}; {reinstalled(named)}"
        )
    return WeightFile(path, sha256, sidecar)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

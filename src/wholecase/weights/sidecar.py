"""What a weight file's neighbour says about it: for which network, and how its input looks."""

from pathlib import Path
from typing import Any, final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from wholecase.core.errors import WeightsError

Triple = tuple[float, float, float]


@final
class Sidecar(BaseModel):
    """The JSON file beside a weight file, of the same name with the suffix `.json`."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    library: str
    """Whose names the tensors bear: `timm`, `torchvision`."""
    name: str
    """The network's name in that library."""
    arguments: dict[str, Any] = {}
    """What the library's constructor must be told besides the name."""
    width: int | None = Field(default=None, gt=0)
    """Numbers per image."""
    size_px: int | None = Field(default=None, gt=0)
    """Side of the pictures it was trained on."""
    mean: Triple | None = None
    """Subtracted from pixels of 0 to 1, per channel."""
    std: Triple | None = None
    """Pixels are divided by it afterwards, per channel."""
    source: str = ""
    license: str = ""
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    """Of the weight file, whole."""


def read_sidecar(file: Path) -> Sidecar | None:
    """What lies beside the weight file, or None where nothing does.

    Raises:
        WeightsError: the JSON file is damaged, or lacks something.
    """
    path = file.with_suffix(".json")
    if not path.is_file():
        return None
    try:
        return Sidecar.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        raise WeightsError(f"{path}: {place}: {first['msg']}; correct or remove it") from error

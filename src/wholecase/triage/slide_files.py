"""What triage leaves of a slide: a picture, regions for QuPath, and the numbers themselves."""

from dataclasses import dataclass
from pathlib import Path

from PIL import Image as Picture

from wholecase.cohort import Case, Image
from wholecase.core.files import atomic, safe_name, write_text
from wholecase.sources import Thumbnail
from wholecase.triage.probability_map import paint_probabilities
from wholecase.triage.regions import regions, regions_geojson
from wholecase.triage.slide_map import SlideMap, read_map, write_map


@dataclass(frozen=True)
class SlideFiles:
    """The paths of one slide's results."""

    folder: Path
    name: str

    @property
    def picture(self) -> Path:
        """The slide under the map's colours."""
        return self.folder / f"{self.name}-map.png"

    @property
    def regions(self) -> Path:
        """Where the probability exceeds the run's threshold."""
        return self.folder / f"{self.name}-regions.geojson"

    @property
    def probabilities(self) -> Path:
        """The map in numbers; written last, says that the slide is finished."""
        return self.folder / f"{self.name}-probabilities.safetensors"


def finished(files: SlideFiles, key: str) -> SlideMap | None:
    """The map of a slide that was finished under the same settings."""
    if not (files.picture.is_file() and files.regions.is_file()):
        return None
    return read_map(files.probabilities, key)


def write_slide(
    files: SlideFiles, drawn: SlideMap, thumbnail: Thumbnail, positive: str, key: str
) -> None:
    """Write all files of a slide; `positive` is what the probability is of."""
    raster = drawn.raster
    painted = paint_probabilities(
        thumbnail.pixels,
        thumbnail.downsample,
        drawn.grid,
        raster.step,
        threshold=drawn.threshold,
        name=positive,
        spacing_um=raster.spacing_um,
    )
    with atomic(files.picture) as neighbour:
        # the default level saves a fifth of the bytes and takes four times as long
        Picture.fromarray(painted).save(neighbour, compress_level=1)
    found = regions(drawn.grid, raster.edges(), raster.areas_mm2(), drawn.threshold)
    write_text(files.regions, regions_geojson(found, positive))
    write_map(files.probabilities, drawn, key)


def names_of(cases: tuple[Case, ...]) -> list[tuple[Case, Image, str]]:
    """Every image with a name for its files, of which no two are alike."""
    named: list[tuple[Case, Image, str]] = []
    taken: set[str] = set()
    for case in cases:
        for number, image in enumerate(case.images):
            name = safe_name(case.id)
            if len(case.images) > 1:
                name = f"{name}-{number}"
            if name.lower() in taken:
                name = safe_name(f"{case.id}/{number}")
            taken.add(name.lower())
            named.append((case, image, name))
    return named

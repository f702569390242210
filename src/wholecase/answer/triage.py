"""A patch model slides over whole slides: maps, risks and areas, slide by slide."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import final

import numpy as np

from wholecase.answer.slide_map import SlideMap
from wholecase.answer.trained import TrainedRun
from wholecase.answer.trained_at import TrainedAt
from wholecase.answer.triage_files import SlideFiles, finished, names_of, write_slide
from wholecase.answer.windows import models_digest, positive_probability, threshold_of
from wholecase.cohort import Case, Cohort, Image
from wholecase.core.digest import digest
from wholecase.core.errors import WholecaseError
from wholecase.core.progress import progress
from wholecase.execution import Outcome, Part, each, each_in_parts
from wholecase.execution.serve import Tool, attempt
from wholecase.instances.blocks import Block, windows
from wholecase.instances.raster import check_stride
from wholecase.instances.sweep import Surveyed, Sweep, identify, survey, sweep_blocks
from wholecase.sources import Thumbnail

VERSION = 1
"""Raised whenever the files of a slide change, so that old ones are not taken for finished."""


@dataclass(frozen=True)
class TriageSettings:
    """How a cohort is gone through."""

    out: Path
    """Results of slides go to `slides` in it."""
    at: TrainedAt
    stride_px: int
    workers: int = 0
    """Processes that read while this one judges; 0 reads here."""
    batch: int = 256
    """Windows that are judged at once."""


@dataclass(frozen=True)
class Triaged:
    """One slide: its map, or why there is none."""

    case: Case
    image: Image
    name: str
    map: SlideMap | None
    reason: str | None = None


def triage(trained: TrainedRun, cohort: Cohort, settings: TriageSettings) -> tuple[Triaged, ...]:
    """Judge every slide of a cohort, in the manifest's order; finished slides are not made again.

    A slide that cannot be read costs itself, with its reason.

    Raises:
        RunError: the run is no patch model of two classes, or the stride has no place in a window.
    """
    check_stride(settings.at.side_px, settings.stride_px)
    slides = names_of(cohort.cases)
    desk = _Desk(trained, settings)
    desk.go_through([desk.sweep_of(image, name) for _, image, name in slides])
    return tuple(Triaged(case, image, name, *desk.end_of(name)) for case, image, name in slides)


@final
class _Desk:
    """Judges what is read; knows how each slide ended."""

    def __init__(self, trained: TrainedRun, settings: TriageSettings) -> None:
        self._trained, self._settings = trained, settings
        self._threshold, self._models = threshold_of(trained), models_digest(trained)
        self._keys: dict[str, str] = {}
        self._ends: dict[str, SlideMap | WholecaseError] = {}

    def sweep_of(self, image: Image, name: str) -> Sweep:
        at = self._settings.at
        return Sweep(name, image, at.side_px, at.spacing_um, self._settings.stride_px)

    def end_of(self, name: str) -> tuple[SlideMap | None, str | None]:
        end = self._ends[name]
        return (None, str(end)) if isinstance(end, WholecaseError) else (end, None)

    def go_through(self, sweeps: Sequence[Sweep]) -> None:
        """Which slides are finished, where the others have tissue, and what it is."""
        rest = self._unfinished(sweeps)
        if not rest:
            return
        surveyed = self._surveyed(rest)
        states: dict[str, _State] = {}
        total = sum(one.windows for one in surveyed)
        with progress("triage", total, "windows") as advance:
            for event in _read(surveyed, self._settings.workers):
                name = event.item.sweep.name
                state = states.setdefault(name, _State(event.item))
                if isinstance(event, Part):
                    for indices, pixels in state.windows_of(event.value, self._settings.batch):
                        state.grid[indices] = self._judged(pixels)
                        advance(len(indices))
                else:
                    self._close(states.pop(name), event.error)

    def _judged(self, pixels: np.ndarray) -> np.ndarray:
        return positive_probability(self._trained, pixels, self._settings.at.spacing_um)

    def _files(self, name: str) -> SlideFiles:
        return SlideFiles(self._settings.out / "slides", name)

    def _unfinished(self, sweeps: Sequence[Sweep]) -> list[Sweep]:
        rest = []
        with (
            progress("look at slides", len(sweeps), "slides") as advance,
            # files are waited for: threads do, and cost nothing to start
            ThreadPoolExecutor(max(1, self._settings.workers)) as pool,
        ):
            for sweep, found in zip(sweeps, pool.map(_identified, sweeps), strict=True):
                advance()
                if isinstance(found, WholecaseError):
                    self._ends[sweep.name] = found
                    continue
                key = digest(slide=found, models=self._models, version=VERSION)
                self._keys[sweep.name] = key
                there = finished(self._files(sweep.name), key)
                if there is None:
                    rest.append(sweep)
                else:
                    self._ends[sweep.name] = there
        return rest

    def _surveyed(self, sweeps: Sequence[Sweep]) -> list[Surveyed]:
        found = []
        with progress("find tissue", len(sweeps), "slides") as advance:
            for told in each(survey, sweeps, workers=self._settings.workers):
                advance()
                if told.result is None:
                    self._ends[told.item.name] = told.error or WholecaseError("no result")
                else:
                    found.append(told.result)
        return found

    def _close(self, state: "_State", error: WholecaseError | None) -> None:
        surveyed = state.surveyed
        name = surveyed.sweep.name
        if error is not None or state.thumbnail is None:
            self._ends[name] = error or WholecaseError(f"{surveyed.sweep.image.path}: not read")
            return
        grid = state.grid.reshape(surveyed.raster.shape)
        drawn = SlideMap(surveyed.raster, grid, self._threshold)
        positive = self._trained.classes[1]
        write_slide(self._files(name), drawn, state.thumbnail, positive, self._keys[name])
        self._ends[name] = drawn


@final
class _State:
    """A slide that is being read."""

    def __init__(self, surveyed: Surveyed) -> None:
        self.surveyed = surveyed
        rows, columns = surveyed.raster.shape
        self.grid = np.full(rows * columns, np.nan, np.float32)
        self.thumbnail: Thumbnail | None = None

    def windows_of(
        self, part: Thumbnail | Block, batch: int
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """The windows of a block; the picture is put aside."""
        if isinstance(part, Thumbnail):
            self.thumbnail = part
        else:
            yield from windows(part, self.surveyed.raster, batch)


def _identified(sweep: Sweep) -> str | WholecaseError:
    try:
        return identify(sweep)
    except WholecaseError as error:
        return error


def _read(
    surveyed: Sequence[Surveyed], workers: int
) -> Iterator[Part[Surveyed, Thumbnail | Block] | Outcome[Surveyed, None]]:
    """`each_in_parts`, or the same in this process."""
    if workers > 0 and surveyed:
        yield from each_in_parts(sweep_blocks, surveyed, workers=workers)
        return
    for one in surveyed:
        parts = sweep_blocks(one)
        while True:
            value, error = attempt(lambda parts: next(parts, None), parts, Tool(None))
            if value is None:
                yield Outcome(one, None, error)
                break
            yield Part(one, value)

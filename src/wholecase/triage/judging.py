"""A patch model slides over whole slides: maps, risks and areas, slide by slide."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import final

import numpy as np

from wholecase.answer.seen import Seen
from wholecase.answer.trained import TrainedRun
from wholecase.cohort import Case, Cohort, Image
from wholecase.core.digest import digest
from wholecase.core.errors import RunError, WholecaseError
from wholecase.core.progress import progress
from wholecase.execution import Again, Part, freed_memory_kept, parallel_map
from wholecase.triage.in_work import SlideInWork, read
from wholecase.triage.probability import (
    judged,
    models_digest,
    threshold_of,
    windows_at_once,
)
from wholecase.triage.raster import check_stride
from wholecase.triage.recount import recount
from wholecase.triage.slide_files import SlideFiles, finished, names_of, write_slide
from wholecase.triage.slide_map import SlideMap
from wholecase.triage.sweep import Surveyed, Sweep, identify, survey
from wholecase.triage.window import TrainedAt

VERSION = 3
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
    threshold: float | None = None
    """What counts as tumour is above it; None is the run's own."""


@dataclass(frozen=True)
class Triaged:
    """One slide: its map, or why there is none."""

    case: Case
    image: Image
    name: str
    map: SlideMap | None
    reason: str | None = None
    seen: str = ""
    """By what the run is known to have learnt from it: `file` or `patient`."""


def counted_above(trained: TrainedRun, settings: TriageSettings) -> float:
    """The threshold that is asked for, or the run's own.

    Raises:
        RunError: the run is no patch model of two classes, or the threshold is no probability.
    """
    own, asked = threshold_of(trained), settings.threshold
    if asked is not None and not 0 <= asked < 1:
        raise RunError(f"--threshold {asked:g} cannot be; give a probability below 1, such as 0.9")
    return own if asked is None else asked


def triage(trained: TrainedRun, cohort: Cohort, settings: TriageSettings) -> tuple[Triaged, ...]:
    """Judge every slide of a cohort, in the manifest's order; finished slides are not judged again.

    A slide that cannot be read costs itself, with its reason.

    Raises:
        RunError: the run is no patch model of two classes, the stride has no place in a window, or
            the threshold is no probability.
    """
    check_stride(settings.at.side_px, settings.stride_px)
    slides = names_of(cohort.cases)
    judge = _SlideJudge(trained, settings)
    judge.go_through([judge.sweep_of(image, name) for _, image, name in slides])
    triaged = [Triaged(case, image, name, *judge.end_of(name)) for case, image, name in slides]
    seen = Seen.of(trained.folder)
    return tuple(
        o if o.map is None else replace(o, seen=seen.by_file(o.case, o.image)) for o in triaged
    )


@final
class _SlideJudge:
    """Judges what is read; knows how each slide ended."""

    def __init__(self, trained: TrainedRun, settings: TriageSettings) -> None:
        self._trained, self._settings = trained, settings
        self._threshold, self._models = counted_above(trained, settings), models_digest(trained)
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
        states: dict[str, SlideInWork] = {}
        total, batch = sum(one.windows for one in surveyed), windows_at_once(self._trained)
        with progress("triage", total, "windows") as advance, freed_memory_kept():
            for event in read(surveyed, self._settings.workers):
                name = event.item.sweep.name
                state = states.setdefault(name, SlideInWork(event.item))
                if isinstance(event, Part):
                    for indices, pixels in state.windows_of(event.value, batch):
                        state.grid[indices], unlike = self._judged(pixels)
                        state.unlike += int(unlike.sum())
                        advance(len(indices))
                elif isinstance(event, Again):
                    advance(-states.pop(name).judged)
                else:
                    self._close(states.pop(name), event.error)

    def _judged(self, pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return judged(self._trained, pixels, self._settings.at.spacing_um)

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
                    self._ends[sweep.name] = self._recounted(there, sweep)
        return rest

    def _recounted(self, there: SlideMap, sweep: Sweep) -> SlideMap | WholecaseError:
        name, positive = sweep.name, self._trained.classes[1]
        try:
            return recount(
                self._files(name),
                there,
                sweep,
                self._threshold,
                positive=positive,
                key=self._keys[name],
            )
        except WholecaseError as error:
            return error

    def _surveyed(self, sweeps: Sequence[Sweep]) -> list[Surveyed]:
        found = []
        with progress("find tissue", len(sweeps), "slides") as advance:
            for outcome in parallel_map(survey, sweeps, workers=self._settings.workers):
                advance()
                if outcome.result is None:
                    self._ends[outcome.item.name] = outcome.error or WholecaseError("no result")
                else:
                    found.append(outcome.result)
        return found

    def _close(self, state: SlideInWork, error: WholecaseError | None) -> None:
        surveyed = state.surveyed
        name = surveyed.sweep.name
        if error is not None or state.thumbnail is None:
            self._ends[name] = error or WholecaseError(f"{surveyed.sweep.image.path}: not read")
            return
        grid = state.grid.reshape(surveyed.raster.shape)
        drawn = SlideMap(surveyed.raster, grid, self._threshold, state.unlike)
        positive = self._trained.classes[1]
        write_slide(self._files(name), drawn, state.thumbnail, positive, self._keys[name])
        self._ends[name] = drawn


def _identified(sweep: Sweep) -> str | WholecaseError:
    try:
        return identify(sweep)
    except WholecaseError as error:
        return error

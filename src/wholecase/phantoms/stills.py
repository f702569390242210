"""Drawn pictures in grey of healthy and ill patients, in folders as few-image data come."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from wholecase.core.errors import RecipeError
from wholecase.core.files import atomic
from wholecase.core.progress import progress
from wholecase.core.seeds import generator
from wholecase.phantoms.making import drawn, write_table

SIDE = 224
MARGIN = 24
"""By so much at most two pictures of a patient are shifted against each other."""
FEWEST = 12
MOST_IMAGES = 4
HELD_OUT = 5
"""Each fifth patient of either label is in `TestSet`, without a label."""
RADIUS = (13.0, 22.0)
DEPTH = 42.0
"""Grey values by which cores are darker than the ground, and rims brighter."""


@dataclass(frozen=True)
class StillPatient:
    """One patient, all of whose pictures have one label and one ground."""

    id: str
    is_ill: bool
    images: int
    is_held_out: bool

    def path(self, number: int) -> Path:
        """Where a picture lies below the folder."""
        side = "TestSet" if self.is_held_out else f"TrainSet/{_label(self)}"
        return Path(side) / f"{self.id}-{number}.png"


def draw_stills(folder: Path, *, patients: int, seed: int, workers: int = 1) -> Path:
    """Draw pictures of 224 x 224 px and return the folder.

    `TrainSet/normal`, `TrainSet/disease` and `TestSet` hold `p003-1.png` and so on, 1 to 4 pictures
    a patient; `cohort.csv` has those of `TrainSet` with their patients, `truth.csv` what `TestSet`
    does not say. The same seed gives the same pictures, whatever the number of workers.

    In each picture of the ill there is a lesion, a dark core within a bright rim; in all pictures
    there are look-alikes: cores without a rim, and rims around nothing. The ill have one of each
    fewer, so that as much of a picture is dark and bright.

    Raises:
        RecipeError: fewer than 12 patients.
    """
    planned = plan_stills(patients, seed)
    with progress("draw patients", patients, "patients") as advance:
        for _ in drawn(partial(_draw_patient, folder, seed), planned, workers):
            advance()
    pictures = [(p, p.path(n)) for p in planned for n in range(1, p.images + 1)]
    truth = [(path.stem, p.id, _label(p)) for p, path in pictures if p.is_held_out]
    write_table(folder / "truth.csv", ("case_id", "patient_id", "label"), truth)
    rows = [
        (path.stem, p.id, path.as_posix(), _label(p), "still")
        for p, path in pictures
        if not p.is_held_out
    ]
    write_table(folder / "cohort.csv", ("case_id", "patient_id", "path", "label", "kind"), rows)
    return folder


def plan_stills(patients: int, seed: int) -> tuple[StillPatient, ...]:
    """Two of five patients are ill, as in small collections.

    Raises:
        RecipeError: fewer than 12 patients.
    """
    if patients < FEWEST:
        raise RecipeError(f"{patients} drawn patients are too few; ask for at least {FEWEST}")
    rng = generator(seed, "stills", "patients")
    ill = patients * 2 // 5
    order = rng.permutation(patients).tolist()
    images = rng.integers(1, MOST_IMAGES + 1, patients).tolist()
    return tuple(
        StillPatient(f"p{number:03d}", place < ill, images[number], place % HELD_OUT == 1)
        for number, place in enumerate(order)
    )


def _draw_patient(folder: Path, seed: int, patient: StillPatient) -> None:
    ground = _ground(generator(seed, "stills", patient.id))
    for number in range(1, patient.images + 1):
        path = folder / patient.path(number)
        path.parent.mkdir(parents=True, exist_ok=True)
        rng = generator(seed, "stills", patient.id, number)
        with atomic(path) as neighbour:
            cv2.imwrite(str(neighbour), draw_still(rng, ground, is_ill=patient.is_ill))


def draw_still(
    rng: np.random.Generator, ground: Float[np.ndarray, "G G"], *, is_ill: bool
) -> UInt8[np.ndarray, "S S"]:
    """A part of the patient's ground with what lies on it."""
    y, x = rng.integers(0, 2 * MARGIN, 2).tolist()
    picture = ground[y : y + SIDE, x : x + SIDE].copy()
    whole = [(True, True)] if is_ill else []
    apart = [(True, False), (False, True)] * (1 if is_ill else 2)
    places = _places(rng, len(whole) + len(apart))
    for (core, rim), place in zip([*whole, *apart], places, strict=True):
        _add(picture, rng, place, core=core, rim=rim)
    picture += rng.normal(0, 5, picture.shape)
    pixels: UInt8[np.ndarray, "S S"] = np.clip(np.rint(picture), 0, 255).astype(np.uint8)
    return pixels


def _ground(rng: np.random.Generator) -> Float[np.ndarray, "G G"]:
    """Bands across, coarse and fine texture, light from one side: a patient's own."""
    side = SIDE + 2 * MARGIN
    y, x = np.mgrid[:side, :side] / side
    angle, waves = rng.uniform(-0.4, 0.4), rng.uniform(3, 6)
    bent = y + angle * x + 0.15 * np.sin(2 * np.pi * (x + rng.uniform()))
    made: Float[np.ndarray, "G G"] = rng.uniform(105, 140) + rng.uniform(8, 16) * np.sin(
        2 * np.pi * waves * bent
    )
    made += rng.uniform(-25, 25) * (x - 0.5) + rng.uniform(-25, 25) * (y - 0.5)
    for sigma, height in ((24.0, 10.0), (5.0, rng.uniform(4, 8)), (1.5, rng.uniform(3, 6))):
        noise = cv2.GaussianBlur(rng.normal(size=(side, side)), (0, 0), sigma)
        made += height * noise / noise.std()
    return made


def _places(rng: np.random.Generator, count: int) -> list[tuple[float, float]]:
    """At most four centres that keep apart: the middles of the quarters, each moved a little."""
    quarters = np.array([(0.25, 0.25), (0.25, 0.75), (0.75, 0.25), (0.75, 0.75)])
    centres = SIDE * quarters[rng.permutation(4)[:count]] + rng.uniform(-8, 8, (count, 2))
    return [(y, x) for y, x in centres.tolist()]


def _add(
    picture: Float[np.ndarray, "S S"],
    rng: np.random.Generator,
    place: tuple[float, float],
    *,
    core: bool,
    rim: bool,
) -> None:
    """A dark core, a bright rim, or both, in place; the outline is bumpy."""
    y, x = np.mgrid[:SIDE, :SIDE].astype(np.float64)
    dy, dx = y - place[0], x - place[1]
    turn = np.arctan2(dy, dx)
    radius = rng.uniform(*RADIUS) * (
        1
        + 0.12 * np.sin(3 * turn + rng.uniform(0, 6))
        + 0.08 * np.sin(5 * turn + rng.uniform(0, 6))
    )
    far = np.hypot(dy, dx) / radius
    if core:
        picture -= DEPTH / (1 + np.exp((far - 0.75) * 14))
    if rim:
        picture += DEPTH * np.exp(-(((far - 1.05) / 0.16) ** 2))


def _label(patient: StillPatient) -> str:
    return "disease" if patient.is_ill else "normal"

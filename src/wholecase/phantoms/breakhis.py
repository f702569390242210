"""Drawn images in the published tree of BreakHis (Spanhol 2016), truth known."""

from functools import partial
from pathlib import Path

import cv2

from wholecase.core.errors import RecipeError
from wholecase.core.files import atomic
from wholecase.core.progress import progress
from wholecase.core.seeds import generator
from wholecase.phantoms.breakhis_plan import ViewedPatient, plan_patients
from wholecase.phantoms.field import draw_field, look
from wholecase.phantoms.making import drawn
from wholecase.phantoms.stains import draw_stain

DAYS = 4
"""Patients are stained on so many days."""


def draw_breakhis(folder: Path, *, patients: int, images: int, seed: int, workers: int = 1) -> Path:
    """Draw images of 350 x 230 px and return the folder, which holds the tree as published.

    Each patient has `images` fields of tissue, and each of them is seen at 40X, 100X, 200X and
    400X, its middle ever closer; each fifth patient lacks one magnification. In malignant patients
    nests are solid, which 40X and 100X show, and nuclei have nucleoli, which 200X and 400X show;
    each benign patient has one of both. Tumour types are drawn by lot. The same seed gives the same
    pictures, whatever the number of workers.

    Raises:
        RecipeError: fewer than 8 patients, or no images.
    """
    if images < 1:
        raise RecipeError(f"{images} images of a patient are too few; ask for at least 1")
    planned = plan_patients(patients, seed)
    with progress("draw patients", patients, "patients") as advance:
        for _ in drawn(partial(draw_patient, folder, images, seed), planned, workers):
            advance()
    return folder


def draw_patient(folder: Path, images: int, seed: int, patient: ViewedPatient) -> None:
    """All pictures of one patient; all chance comes from the seed and the slide's id."""
    day = int(patient.slide[3:]) % DAYS
    origins = ((), (day,), (patient.slide,))
    stain = draw_stain(*(generator(seed, "stain", *origin) for origin in origins))
    for number in range(images):
        rng = generator(seed, patient.slide, "field", number)
        field = draw_field(rng, solid=patient.solid, nucleoli=patient.nucleoli)
        for power in patient.powers:
            pixels = look(generator(seed, patient.slide, number, power), field, power, stain)
            path = folder / patient.path(power, number + 1)
            path.parent.mkdir(parents=True, exist_ok=True)
            with atomic(path) as neighbour:
                cv2.imwrite(str(neighbour), cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))

"""A whole drawn CT cohort in a folder: series, masks and the manifest."""

import gzip
import shutil
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import nibabel
import numpy as np

from wholecase.core.errors import RecipeError
from wholecase.core.files import write_bytes
from wholecase.core.progress import progress
from wholecase.phantoms.ct.scan import REACH_MM, Scanned, scan
from wholecase.phantoms.ct.series import files_of
from wholecase.phantoms.ct.study_plan import POSITIVE, PhantomPatient, plan_patients
from wholecase.phantoms.making import drawn, write_table

COLUMNS = ("case_id", "patient_id", "path", "label", "kind", "site", "mask")
SIDE_PX = 160


def draw_ct(
    folder: Path,
    *,
    patients: int,
    seed: int,
    workers: int = 1,
    side_px: int = SIDE_PX,
    reach_mm: float = REACH_MM,
) -> Path:
    """Draw a cohort of head CT in DICOM and return its manifest, `folder/cohort.csv`.

    Each patient has a folder of files in no order: the slices, with some a scout, and with some the
    same slices by a kernel for bone. Half of the patients are positive (`metastasis`): one to four
    rings of 8 to 20 mm within oedema, 1 in the volume `masks/<case>.nii.gz`. The others (`none`)
    have as many bright spots and dark patches apart from each other; and all have vessels, a falx
    and calcium. The same seed gives the same bytes, whatever the number of workers; the manifest is
    written last.

    Args:
        folder: where all of it goes.
        patients: how many.
        seed: of all chance.
        workers: processes that draw.
        side_px: of a slice, which is square.
        reach_mm: of the slices, from the floor of the skull upwards.

    Raises:
        RecipeError: fewer than two patients, slices too small or too few for their lesions, or a
            patient's folder holds other files.
    """
    planned = plan_patients(patients, seed, side_px, reach_mm)
    with progress("draw CT", len(planned), "patients") as advance:
        for _ in drawn(partial(_draw_one, folder, seed), planned, workers):
            advance()
    return write_table(folder / "cohort.csv", COLUMNS, map(_row, planned))


def _draw_one(folder: Path, seed: int, patient: PhantomPatient) -> str:
    row = dict(zip(COLUMNS, _row(patient), strict=True))
    study = scan(patient, seed)
    _write_folder(folder / row["path"], dict(files_of(patient, study, seed)))
    if row["mask"]:
        write_bytes(folder / row["mask"], _volume(study))
    return patient.id


def _write_folder(series: Path, files: Mapping[str, bytes]) -> None:
    """Write a folder's files, all or none: a flush for each would cost more than the drawing.

    Raises:
        RecipeError: the folder holds others, which would be read with them.
    """
    if series.is_dir() and {file.name for file in series.iterdir()} - set(files):
        raise RecipeError(f"{series}: holds other files, which would be read too; take them out")
    neighbour = series.with_name(f".{series.name}.part")
    shutil.rmtree(neighbour, ignore_errors=True)
    neighbour.mkdir(parents=True)
    for name, content in files.items():
        (neighbour / name).write_bytes(content)
    shutil.rmtree(series, ignore_errors=True)
    neighbour.rename(series)


def _volume(study: Scanned) -> bytes:
    """The mask as NIfTI: each voxel lies where the slices' positions say, also of a tilted gantry.

    Its axes run along columns, rows and slices; its coordinates to the right, front and top.
    """
    to_nifti = np.diag([-1.0, -1.0, 1.0])
    affine = np.eye(4)
    affine[:3, :3] = to_nifti @ study.grid.steps_mm[::-1].T
    affine[:3, 3] = to_nifti @ study.grid.first_mm
    voxels = study.mask.transpose(2, 1, 0).astype(np.uint8)
    image: Any = nibabel.Nifti1Image(voxels, affine)  # type: ignore[no-untyped-call]
    image.header.set_xyzt_units("mm")
    return gzip.compress(image.to_bytes(), mtime=0)


def _row(patient: PhantomPatient) -> tuple[str, ...]:
    path = f"series/{patient.id}"
    mask = f"masks/{patient.id}.nii.gz" if patient.label == POSITIVE else ""
    return (patient.id, patient.patient, path, patient.label, "ct", patient.scanner.site, mask)

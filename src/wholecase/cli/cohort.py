"""`wholecase cohort`: a manifest from a folder as people have it."""

from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import App, Parameter

cohort = App(name="cohort", help="Write the manifest of a folder of images.")

Folder = Annotated[Path, Parameter(help="the folder that holds the images")]
Out = Annotated[Path, Parameter(help="the manifest to write, such as cohort.csv")]
PatientFrom = Annotated[
    str | None, Parameter(help="regular expression that finds the patient in label/file.png")
]


@cohort.command(name="tile-folders")
def tile_folders(
    folder: Folder,
    *,
    out: Out,
    ids_by_folder: Annotated[
        bool, Parameter(help="each label folder counts its patients anew")
    ] = False,
) -> None:
    """Read label/patient/*; label_aug holds copies, label_cnn further tiles, C-S-label tests."""
    from wholecase.cohort.importers import tile_folders as read

    _write(read(folder, ids_by_folder=ids_by_folder), out)


@cohort.command(name="class-folders")
def class_folders(
    folder: Folder,
    *,
    out: Out,
    patient_from: PatientFrom = None,
    case: Annotated[Literal["patient", "image"], Parameter(help="what is one case")] = "patient",
    kind: Annotated[Literal["tile", "still"], Parameter(help="of all images")] = "tile",
) -> None:
    """Read label/*; every image is a patient of its own unless --patient-from finds one."""
    from wholecase.cohort.importers import class_folders as read

    _write(read(folder, patient_from=patient_from, case=case, kind=kind), out)


@cohort.command
def slides(
    folder: Folder,
    *,
    out: Out,
    labels: Annotated[
        Path | None, Parameter(help="CSV with a label and a slide, case or patient in each row")
    ] = None,
    column: Annotated[str, Parameter(help="the column of the table with the label")] = "label",
    patient_from: PatientFrom = None,
) -> None:
    """Read a folder of slides; TCGA barcodes and the table of labels say whose they are."""
    from wholecase.cohort.importers import slide_folder as read

    _write(read(folder, labels, column=column, patient_from=patient_from), out)


@cohort.command
def pcam(
    folder: Folder,
    *,
    out: Out,
    drop_split: Annotated[
        bool, Parameter(help="leave the official sides out; the recipe divides by slide")
    ] = False,
) -> None:
    """Read PatchCamelyon as published: HDF5 files of patches and labels, slides in meta CSVs."""
    from wholecase.cohort.importers import pcam as read

    _write(read(folder, drop_split=drop_split), out)


@cohort.command(name="pcam-kaggle")
def pcam_kaggle(folder: Folder, *, out: Out) -> None:
    """Read PatchCamelyon in Kaggle's form: train/*.tif and train_labels.csv, without slides."""
    from wholecase.cohort.importers import pcam_kaggle as read

    _write(read(folder), out)


@cohort.command
def breakhis(
    folder: Annotated[Path, Parameter(help="the folder, or the archive as published")],
    *,
    out: Out,
    letters: Annotated[
        bool, Parameter(help="slides that differ in letters alone are different patients")
    ] = False,
) -> None:
    """Read BreakHis or any part of it: file names such as SOB_M_DC-14-2523-400-012.png say all."""
    from wholecase.cohort.importers import breakhis as read

    _write(read(folder, letters=letters), out)


def _write(draft: Any, out: Path) -> None:  # noqa: ANN401 (the type would load the package)
    from collections import Counter

    from wholecase.cohort import anonymity_note, read_cohort
    from wholecase.cohort.importers import LongDraft, write_long_manifest, write_manifest

    write = write_long_manifest if isinstance(draft, LongDraft) else write_manifest
    made = read_cohort(write(draft, out), None)
    for sentence in draft.left_out:
        print(f"out: {sentence}")
    for label, cases in sorted(Counter(case.label or "(none)" for case in made.cases).items()):
        print(f"{label}: {cases} cases")
    for note in (*draft.notes, *map(str, made.remarks), anonymity_note(made)):
        if note:
            print(f"note: {note}")
    images = sum(len(case.images) for case in made.cases)
    known = len(made.patients) - made.anonymous
    patients = f"{known} patients" if known or not made.anonymous else "patients unknown"
    print(
        f"{out}: {images} images, {len(made.cases)} cases, {patients}; next: wholecase check {out}"
    )

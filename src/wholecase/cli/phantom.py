"""`wholecase phantom`: drawn cohorts whose truth is known."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter

from wholecase.cli.options import Workers

phantom = App(name="phantom", help="Draw a cohort whose truth is known.")


@phantom.command
def slides(
    folder: Annotated[Path, Parameter(help="where the slides and cohort.csv go")],
    *,
    cases: Annotated[int, Parameter(help="how many; half of them positive")] = 24,
    lesion: Annotated[
        Literal["nest", "metastasis"],
        Parameter(help="nests (mutated), or what drawn patches show (tumor)"),
    ] = "nest",
    seed: int = 1,
    workers: Workers = 0,
) -> None:
    """Draw whole-slide images: pyramidal TIFFs with tissue, artefacts, and lesions in positives."""
    from wholecase.execution import cores
    from wholecase.phantoms import draw_slides

    crew = workers or cores()
    print(draw_slides(folder, cases=cases, seed=seed, workers=crew, lesion=lesion))


@phantom.command
def patches(
    folder: Annotated[Path, Parameter(help="where the HDF5 files and meta CSVs go")],
    *,
    patches: Annotated[int, Parameter(help="how many; half of them show tumour")] = 2000,
    seed: int = 1,
    workers: Workers = 0,
) -> None:
    """Draw patches of 96 px in the published form of PatchCamelyon: train, valid and test."""
    from wholecase.execution import cores
    from wholecase.phantoms import draw_patches

    made = draw_patches(folder, patches=patches, seed=seed, workers=workers or cores())
    print(f"{made}; next: wholecase cohort pcam {made} --out {made / 'cohort.csv'}")


@phantom.command
def ct(
    folder: Annotated[Path, Parameter(help="where the series, masks and cohort.csv go")],
    *,
    patients: Annotated[int, Parameter(help="how many; half of them with metastases")] = 48,
    seed: int = 1,
    workers: Workers = 0,
) -> None:
    """Draw head CT as DICOM series: bright rings within oedema in positives, look-alikes in all."""
    from wholecase.execution import cores
    from wholecase.phantoms import draw_ct

    print(draw_ct(folder, patients=patients, seed=seed, workers=workers or cores()))


@phantom.command
def breakhis(
    folder: Annotated[Path, Parameter(help="where the tree of images goes")],
    *,
    patients: Annotated[int, Parameter(help="how many; half of them malignant")] = 48,
    images: Annotated[int, Parameter(help="of each patient at each magnification")] = 6,
    seed: int = 1,
    workers: Workers = 0,
) -> None:
    """Draw the tree of BreakHis: the same tissue at 40X, 100X, 200X and 400X; some lack one."""
    from wholecase.execution import cores
    from wholecase.phantoms import draw_breakhis

    crew = workers or cores()
    made = draw_breakhis(folder, patients=patients, images=images, seed=seed, workers=crew)
    print(f"{made}; next: wholecase cohort breakhis {made} --out {made / 'cohort.csv'}")


@phantom.command
def stills(
    folder: Annotated[Path, Parameter(help="where TrainSet, TestSet and cohort.csv go")],
    *,
    patients: Annotated[int, Parameter(help="how many; two of five are ill")] = 80,
    seed: int = 1,
    workers: Workers = 0,
) -> None:
    """Draw pictures of healthy and ill patients in class folders; look-alikes in all of them."""
    from wholecase.execution import cores
    from wholecase.phantoms import draw_stills

    made = draw_stills(folder, patients=patients, seed=seed, workers=workers or cores())
    print(f"{made}; next: wholecase check {made / 'cohort.csv'}")

"""`wholecase plan`: how many patients, before a study."""

from typing import Annotated

from cyclopts import Parameter


def plan(
    *,
    half_width: Annotated[float, Parameter(help="of the 95 % interval")] = 0.05,
    auroc: Annotated[float, Parameter(help="that is expected")] = 0.8,
    sensitivity: Annotated[float, Parameter(help="that is expected")] = 0.8,
    specificity: Annotated[float, Parameter(help="that is expected")] = 0.8,
    prevalence: Annotated[float, Parameter(help="share of positives among the patients")] = 0.5,
    folds: Annotated[int, Parameter(help="1 is a test set of its own")] = 5,
) -> None:
    """Tell how many patients make the intervals of a study as narrow as is asked."""
    from wholecase.evaluation import plan as planned

    told = planned(
        half_width,
        auroc=auroc,
        sensitivity=sensitivity,
        specificity=specificity,
        prevalence=prevalence,
        folds=folds,
    )
    print(f"{'figure':12} {'expected':>8}  {'patients':>8}  {'positives':>9}  95 % interval")
    for one in told:
        print(
            f"{one.figure:12} {one.value:8.3f}  {one.patients:8,}  {one.positives:9,}  "
            f"{one.low:.3f} to {one.high:.3f}"
        )
    print(f"All to ±{half_width:g}: {max(one.patients for one in told):,} patients.")

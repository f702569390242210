"""`wholecase check`: look at a cohort before anything is computed."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from wholecase.cli.document import Json, document
from wholecase.cli.options import CohortFile, Overrides, Workers


def check(
    cohort: CohortFile,
    *overrides: Overrides,
    recipe: Annotated[str | None, Parameter(help="check labels, spacing and folds too")] = None,
    splits: Annotated[Path | None, Parameter(help="audit this splits.csv, whoever made it")] = None,
    html: Annotated[Path | None, Parameter(help="also write the findings as a page")] = None,
    workers: Workers = 0,
    as_json: Json = False,
) -> int:
    """Open every image of a cohort and tell what a run would meet; exit code 1 on errors."""
    from wholecase.audit import check_cohort, render_text, write_page
    from wholecase.cli.documents import of_audit
    from wholecase.cohort import read_leniently, read_sides
    from wholecase.core.errors import RecipeError
    from wholecase.core.files import refuse_unwritable
    from wholecase.core.progress import progress
    from wholecase.execution import cores

    if html is not None:
        refuse_unwritable(html)
    if overrides and recipe is None:
        raise RecipeError(f"{overrides[0]!r} changes a recipe; name the recipe with --recipe")
    labels, cost, asked = (None, "", {}) if recipe is None else _asked(recipe, overrides)
    read = read_leniently(cohort, labels)
    if splits is not None:
        asked |= {"sides": read_sides(splits, read.cohort), "divide": None}
    images = sum(len(case.images) for case in read.cohort.cases)
    with progress("checking", images) as advance:
        audit = check_cohort(
            read.cohort,
            mistakes=read.mistakes,
            workers=workers or cores(),
            advance=advance,
            **asked,
        )
    with document("check", asked=as_json) as told:
        print(render_text(audit))
        if cost:
            print(cost)
        if html is not None:
            print(write_page(audit, html).resolve().as_uri())
        told.update(of_audit(audit))
    return 1 if audit.failed else 0


def _asked(recipe: str, overrides: Sequence[str]) -> tuple[Any, str, dict[str, Any]]:
    """How the recipe reads labels, what a run would cost, and what it asks of the cohort beyond."""
    # they load torch, which a check without a recipe need not wait for
    from wholecase.assemble import check_recipe, cut_of, labels_of, split_of, trainings_of
    from wholecase.recipes import read_recipe

    read = read_recipe(recipe, overrides)
    check_recipe(read, weights=False)  # where they are is the machine's affair
    trained = trainings_of(read)
    cost = f"models that a run trains: {trained}"
    if read.evaluate.baselines and read.encoder is None:
        once = trained // read.protocol.repeats
        cost += f", and with --baselines {once * len(read.evaluate.baselines)} more"
    return (
        labels_of(read),
        cost,
        {
            "asked_spacing_um": cut_of(read).settings.get("spacing_um"),
            "identity": read.encoder and read.encoder.options.get("identity"),
            "divide": lambda cohort: split_of(read, cohort, None),
        },
    )

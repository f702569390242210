"""`wholecase check`: look at a cohort before anything is computed."""

from typing import Annotated

from cyclopts import Parameter

from wholecase.cli.options import CohortFile, Overrides


def check(
    cohort: CohortFile,
    *overrides: Overrides,
    recipe: Annotated[str | None, Parameter(help="check its labels and spacing too")] = None,
) -> int:
    """Open every image of a cohort and tell what a run would meet; exit code 1 on errors."""
    from wholecase.audit import check_cohort, render_text
    from wholecase.cohort import Labels, read_cohort
    from wholecase.core.progress import progress
    from wholecase.recipes import read_recipe

    labels, spacing = None, None
    if recipe is not None:
        asked = read_recipe(recipe, overrides)
        section = asked.cohort
        labels = Labels(column=section.label, classes=section.groups, ignore=section.ignore)
        spacing = asked.cut.options.get("spacing_um")
    read = read_cohort(cohort, labels)
    images = sum(len(case.images) for case in read.cases)
    with progress("checking", images) as advance:
        audit = check_cohort(read, asked_spacing_um=spacing, advance=advance)
    print(render_text(audit))
    return 1 if audit.failed else 0

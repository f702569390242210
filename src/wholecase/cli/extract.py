"""`wholecase extract`: features of a cohort, without training."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from wholecase.cli.options import CohortFile, Device, Overrides, Workers


def extract(
    recipe: Annotated[str, Parameter(help="a built-in recipe or a YAML file")],
    *overrides: Overrides,
    cohort: CohortFile,
    store: Annotated[Path, Parameter(help="where features are kept")],
    device: Device = "auto",
    workers: Workers = 0,
) -> int:
    """Cut and encode all images of a cohort into a feature store; the same command resumes it."""
    from wholecase.assemble import place_of, plan_of
    from wholecase.cli.lines import failure_lines
    from wholecase.cohort import read_cohort
    from wholecase.extract import extract as work
    from wholecase.extract import table_lines
    from wholecase.recipes import read_recipe

    plan = plan_of(read_recipe(recipe, overrides), store)
    read = read_cohort(cohort, None)
    done = work(read, plan, place_of(device, workers))
    for line in failure_lines([(str(f.path), f.reason) for f in done.failures]):
        print(line)
    for line in table_lines(done):
        print(line)
    return 1 if done.failures else 0

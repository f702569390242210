"""`wholecase parts`: what a recipe can name."""

from typing import Annotated

from cyclopts import Parameter


def parts(
    kind: Annotated[str | None, Parameter(help="such as aggregator, head, encoder, metric")] = None,
) -> None:
    """List what a recipe can name, of one kind with a line and the settings of each."""
    from wholecase.assemble.listing import kind_lines, part_lines

    for line in kind_lines() if kind is None else part_lines(kind):
        print(line)

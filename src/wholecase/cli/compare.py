"""`wholecase compare`: runs on the same folds."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from wholecase.cli.document import Json, document
from wholecase.core.visible import visible

if TYPE_CHECKING:
    from wholecase.report import Comparison


def compare(
    *runs: Annotated[
        Path, Parameter(help="folders of two or more finished runs, on the same folds")
    ],
    html: Annotated[Path | None, Parameter(help="also write the comparison as a page")] = None,
    as_json: Json = False,
) -> None:
    """Tell where runs differ: metrics with paired intervals, tests, shared errors, and the cases.

    Differences are the first run less the second. What several runs have in common follows.
    """
    from wholecase.cli.documents import of_comparison
    from wholecase.core.files import refuse_unwritable
    from wholecase.report import compare as compared
    from wholecase.report import compare_page

    if html is not None:
        refuse_unwritable(html)
    told = compared(runs)
    with document("compare", asked=as_json) as facts:
        _print(told)
        if html is not None:
            print(compare_page(told, html).resolve().as_uri())
        facts.update(of_comparison(told))


def _print(told: "Comparison") -> None:
    from dataclasses import asdict

    from wholecase.cli.lines import metric_lines
    from wholecase.report import disputed_lines, pair_lines

    for mark in told.marks:
        print(visible(f"note: {mark}"))
    for pair in told.pairs:
        print(visible(f"{pair.first.name} minus {pair.second.name}"))
        area = {} if pair.area is None else {"auroc, DeLong": pair.area.difference}
        tested = {"accuracy, Tango": pair.accuracy.difference, **area}
        for line in metric_lines({n: asdict(i) for n, i in {**pair.differences, **tested}.items()}):
            print(line)
        for line in pair_lines(pair):
            print(visible(line))
        print()
    shared = {
        "agreement": told.overlap.agreement,
        "disagreement": told.overlap.disagreement,
        "oracle accuracy": told.overlap.oracle,
    }
    print("all together")
    for line in metric_lines({name: asdict(interval) for name, interval in shared.items()}):
        print(line)
    for line in disputed_lines(told):
        print(visible(line))

"""`wholecase`: all images of a medical case in, one honest, explained answer per patient out."""

import sys
from collections.abc import Sequence

from cyclopts import App

import wholecase
from wholecase.cli.check import check
from wholecase.cli.cohort import cohort
from wholecase.cli.compare import compare
from wholecase.cli.doctor import doctor
from wholecase.cli.explain import explain
from wholecase.cli.export import export
from wholecase.cli.extract import extract
from wholecase.cli.features import features
from wholecase.cli.import_clam import import_clam
from wholecase.cli.phantom import phantom
from wholecase.cli.predict import predict
from wholecase.cli.recipes import recipes
from wholecase.cli.report import report
from wholecase.cli.run import run
from wholecase.cli.store import store
from wholecase.cli.triage import triage
from wholecase.core.errors import WholecaseError

INTERRUPTED = 130
"""What a shell expects of a program that was stopped by Ctrl-C."""


def build() -> App:
    """The command line as a value."""
    app = App(name="wholecase", help=__doc__, version=wholecase.__version__)
    for command in (check, extract, run, predict, report, compare, explain, import_clam, doctor):
        app.command(command)
    app.command(cohort)
    app.command(features)
    app.command(recipes)
    app.command(phantom)
    app.command(store)
    app.command(export)
    app.command(triage)
    return app


def main(argv: Sequence[str] | None = None) -> None:
    """Run one command; an error of the user's is one sentence, the exit code tells the rest."""
    try:
        code = build()(list(sys.argv[1:] if argv is None else argv), exit_on_error=True)
    except WholecaseError as error:
        print(f"wholecase: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print("wholecase: stopped; the same command goes on from here", file=sys.stderr)
        sys.exit(INTERRUPTED)
    sys.exit(code if isinstance(code, int) else 0)

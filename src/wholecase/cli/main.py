"""`wholecase`: all images of a medical case in, one honest, explained answer per patient out."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from wholecase.cli.bench import bench
from wholecase.cli.card import card
from wholecase.cli.check import check
from wholecase.cli.cohort import cohort
from wholecase.cli.compare import compare
from wholecase.cli.doctor import doctor
from wholecase.cli.ending import close_quietly, ended
from wholecase.cli.explain import explain
from wholecase.cli.export import export
from wholecase.cli.extract import extract
from wholecase.cli.features import features
from wholecase.cli.gallery import gallery
from wholecase.cli.import_clam import import_clam
from wholecase.cli.listing import parts
from wholecase.cli.phantom import phantom
from wholecase.cli.predict import predict
from wholecase.cli.recipes import recipes
from wholecase.cli.report import report
from wholecase.cli.reproduce import reproduce
from wholecase.cli.run import run
from wholecase.cli.runs import runs
from wholecase.cli.store import store
from wholecase.cli.study_plan import plan
from wholecase.cli.triage import triage
from wholecase.cli.vote import vote
from wholecase.core.outlet import telling
from wholecase.core.version import VERSION

Words = Annotated[str, Parameter(show=False, allow_leading_hyphen=True)]
Quiet = Annotated[bool, Parameter(negative="", help="no progress on stderr")]
Log = Annotated[Path | None, Parameter(help="add progress and notes to this file, as JSON lines")]


def build() -> App:
    """The command line as a value."""
    # else Ctrl-C would end it without a word
    app = App(
        name="wholecase",
        help=__doc__,
        version=VERSION,
        suppress_keyboard_interrupt=False,
        result_action="return_value",
    )
    for command in (
        check,
        extract,
        run,
        predict,
        report,
        card,
        plan,
        runs,
        reproduce,
        compare,
        vote,
        explain,
        import_clam,
        doctor,
        bench,
    ):
        app.command(command)
    app.command(cohort)
    app.command(features)
    app.command(gallery)
    app.command(recipes)
    app.command(parts)
    app.command(phantom)
    app.command(store)
    app.command(export)
    app.command(triage)

    app.register_install_completion_command(help="Let the shell complete commands and options.")

    @app.meta.default
    def with_outlet(*words: Words, quiet: Quiet = False, log: Log = None) -> int:
        with telling(quiet=quiet, log=log):
            return ended(lambda: app(words, exit_on_error=True), words[0] if words else "")

    app.meta.group_parameters = "Options of every command"
    return app


def main(argv: Sequence[str] | None = None) -> None:
    """Run one command; an error of the user's is one sentence, the exit code tells the rest."""
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        code = ended(lambda: build().meta(words, exit_on_error=True), "")
    finally:
        close_quietly()
    sys.exit(code)

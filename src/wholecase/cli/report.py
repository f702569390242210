"""`wholecase report`: the page of a run."""

import errno
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter


def report(
    run: Annotated[Path, Parameter(help="folder of a finished run")],
    *,
    share: Annotated[
        Path | None,
        Parameter(help="write what may be sent on into this empty folder; it names cases alone"),
    ] = None,
    checklist: Annotated[
        str | None,
        Parameter(help="write this guideline, filled with what the run knows: tripod-ai or claim"),
    ] = None,
) -> None:
    """Write a run's self-contained page anew and say where it is."""
    from wholecase.core.errors import RunError
    from wholecase.core.os_errors import sentence_of
    from wholecase.core.outlet import message
    from wholecase.report import share as write_shared
    from wholecase.report import write_checklist, write_report

    for sentence in _absent(run):
        message(f"note: {sentence}")
    if checklist is not None:
        print(write_checklist(run, checklist).resolve().as_uri())
        return
    if share is not None:
        print(write_shared(run, share).resolve().as_uri())
        return
    try:
        print(write_report(run).resolve().as_uri())
    except OSError as error:
        if error.errno not in {errno.EROFS, errno.EACCES, errno.EPERM}:
            raise
        reason = sentence_of(error).partition(";")[0]
        raise RunError(
            f"{reason}; the page is written into the run's folder, so report a copy of it"
        ) from error


def _absent(run: Path) -> list[str]:
    """What made the run and is not here; its page can be written all the same."""
    from wholecase.core.outside import absences
    from wholecase.runs import RunFolder

    folder = RunFolder(run)
    return list(absences(folder.read_facts().get("parts", ())) if folder.facts.is_file() else ())

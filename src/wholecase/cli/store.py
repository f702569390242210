"""`wholecase store`: look after stored features."""

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

store = App(name="store", help="Look after stored features.")


@store.command
def check(
    folder: Annotated[Path, Parameter(help="a store, or one folder of it")],
    /,
    *,
    repair: Annotated[bool, Parameter(negative="", help="remove what is damaged")] = False,
) -> int:
    """Read every byte of a store; list what is damaged, foreign or orphaned.

    Ends with exit code 1 if anything is damaged and was not removed. What was removed is made anew
    by the next extraction; foreign and orphaned files are never touched.
    """
    from wholecase.features import survey

    bags, damaged, others = 0, 0, 0
    for surveyed in survey(folder):
        bags += surveyed.bags
        for flaw in surveyed.flaws:
            removed = repair and flaw.kind == "damaged"
            if removed:
                flaw.path.unlink(missing_ok=True)
            print(f"{flaw.kind}{' (removed)' if removed else ''}: {flaw.path}: {flaw.reason}")
            damaged += flaw.kind == "damaged"
            others += flaw.kind != "damaged"
    print(f"{bags} bags, {damaged} damaged{', removed' * repair}, {others} foreign or orphaned")
    return 1 if damaged and not repair else 0

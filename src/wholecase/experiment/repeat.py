"""How a run is made again: its paths, seen from a folder, so that none of them is absolute."""

import os
from pathlib import Path
from typing import Any

DEEP = 3
"""A folder of so many parts or more, such as /home/anna/study, may be told paths from."""


def repeat_of(run: Path, cohort: Path, *, is_split_given: bool) -> dict[str, Any]:
    """What `run.json` says of it: the paths of run and cohort, and from where they count.

    `home` is `start` for the folder in which the run was started, `both` for the nearest one that
    holds run and cohort, or None where there is none but the top of the disk: then only names are
    told.
    """
    paths = [path.resolve() for path in (run, cohort)]
    home, name = Path.cwd(), "start"
    if not all(path.is_relative_to(home) for path in paths):
        home, name = _common(*paths), "both"
    if len(home.parts) < DEEP:
        names = [path.name for path in paths]
        return {"home": None, "run": names[0], "cohort": names[1], "splits": is_split_given}
    names = [path.relative_to(home).as_posix() for path in paths]
    return {"home": name, "run": names[0], "cohort": names[1], "splits": is_split_given}


def _common(run: Path, cohort: Path) -> Path:
    try:
        return Path(os.path.commonpath([run.parent, cohort.parent]))
    except ValueError:  # two drives
        return Path(run.anchor)

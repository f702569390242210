"""Where the cohort of a run lies."""

from pathlib import Path

from wholecase.core.digest import file_digest
from wholecase.core.errors import RunError
from wholecase.runs.layout import RunFolder


def manifest_of(folder: RunFolder) -> Path:
    """The run's manifest, unchanged; what was said of images must not be shown on others.

    Raises:
        RunError: it is gone, or was changed since.
    """
    facts = folder.read_facts()["cohort"]
    manifest = Path(facts["path"])
    # relative to where the run was started from: here, or somewhere above the run's folder
    for home in (Path(), *folder.root.resolve().parents):
        if (home / manifest).is_file() and file_digest(home / manifest) == facts["digest"]:
            return home / manifest
    raise RunError(
        f"the manifest {manifest} of {folder.root} is not there or was changed since the run; put "
        "it back as it was, or start from the folder in which the run was started"
    )

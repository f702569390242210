"""Fixtures for all tests."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from wholecase.experiment import Summary

# two test processes on two cores: networks this small spend five sixths of their time on waiting
# for each other's threads; to be set before torch is imported
os.environ.setdefault("OMP_NUM_THREADS", "1")

# drawn examples have no deadline: these machines are noisy; CI draws the same ones each time, so
# that a change is judged by itself, and everybody else's machine goes on looking for new ones
settings.register_profile("here", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")


@pytest.fixture(scope="session")
def shared() -> Path:
    """Real images and weights beside the checkout; tests that need them skip without."""
    folder = Path(__file__).resolve().parents[2] / "shared"
    if not (folder / "data").is_dir():
        pytest.skip(f"real images are expected in {folder}, which is not there")
    return folder


@pytest.fixture(scope="session")
def cohort_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from toys.quick import write_cohort

    return write_cohort(tmp_path_factory.mktemp("cohort"))


@pytest.fixture(scope="session")
def finished(cohort_file: Path, tmp_path_factory: pytest.TempPathFactory) -> "Summary":
    """A finished run; tests must not change it."""
    from toys.quick import quick
    from wholecase.execution import Place
    from wholecase.experiment import Settings, run

    out = tmp_path_factory.mktemp("runs") / "quick"
    return run(quick(), cohort_file, Settings(out=out, place=Place(workers=0)))


@pytest.fixture
def rerun(cohort_file: Path, tmp_path: Path) -> "Callable[..., Summary]":
    """Run the cohort again into a fresh folder."""

    from toys.quick import quick
    from wholecase.execution import Place
    from wholecase.experiment import Settings, run

    def again(*overrides: str, **settings: object) -> "Summary":
        place = {"out": tmp_path / "again", "place": Place(workers=0), **settings}
        return run(quick(*overrides), cohort_file, Settings(**place))

    return again

"""Fixtures for all tests."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

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

"""Evidence in a file: what was written is read, slices only where there are any."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from wholecase.explain import Evidence, read_evidence, write_evidence


def drawn() -> Evidence:
    rng = np.random.default_rng(0)
    return Evidence(
        weights=rng.random((6, 1)).astype(np.float32),
        scores=rng.normal(size=(6, 1)).astype(np.float32),
        image=np.array([0, 0, 0, 1, 1, 1]),
        box_px=rng.integers(0, 99, (6, 4)),
        position_um=rng.normal(size=(6, 3)).astype(np.float32),
        logits=rng.normal(size=(6, 1)).astype(np.float32),
    )


def test_slices_come_back_and_are_written_only_where_there_are_any(tmp_path: Path) -> None:
    flat, plane = drawn(), np.array([0, 1, 2, 0, 1, 2])
    write_evidence(tmp_path / "flat", flat)
    write_evidence(tmp_path / "first", replace(flat, plane=np.zeros(6, np.int64)))
    assert (tmp_path / "flat").read_bytes() == (tmp_path / "first").read_bytes()
    assert read_evidence(tmp_path / "flat").plane is None
    write_evidence(tmp_path / "series", replace(flat, plane=plane))
    found = read_evidence(tmp_path / "series")
    assert found.plane is not None
    assert np.array_equal(found.plane, plane)
    assert np.array_equal(found.weights, flat.weights)
    second = found.of_image(1)
    assert second.plane is not None
    assert second.plane.tolist() == [0, 1, 2]
    assert flat.of_image(1).plane is None

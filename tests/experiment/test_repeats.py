"""A repeat is the run that its seed alone would give; the first is the run and the headline."""

import json
import shutil
import statistics
from collections.abc import Callable
from pathlib import Path

import pytest

from toys.quick import quick
from wholecase.core.errors import RecipeError, SplitError
from wholecase.experiment import Summary
from wholecase.runs import RunFolder


def test_repeats_are_told_apart_and_beside_the_run(
    finished: Summary, rerun: Callable[..., Summary], tmp_path: Path
) -> None:
    store, out = finished.run.root.parent / "features", tmp_path / "run"
    other = rerun("protocol.seed=2", "evaluate.pictures=0", store=store, out=tmp_path / "other")
    # in the folder of the first: what was learnt there is not learnt again
    shutil.copytree(finished.run.root, out)
    both = rerun("protocol.repeats=2", "evaluate.pictures=0", store=store, out=out)
    assert both.folds == "3 learnt, 3 reused"
    for one, same in zip(_tables(both.run), _tables(finished.run), strict=True):
        assert one.read_bytes() == same.read_bytes(), one.name
    repeat = both.run.repeat(1)
    for one, same in zip(_tables(repeat), _tables(other.run), strict=True):
        assert one.read_bytes() == same.read_bytes(), one.name
    told = json.loads(both.run.metrics.read_text())
    repeats = told.pop("repeats")
    assert told == finished.metrics, "the headline is that of the run alone"
    assert repeats["seeds"] == [1, 2]
    assert repeats["pooled"][0] == finished.metrics["pooled"]
    assert repeats["pooled"][1] == other.metrics["pooled"]
    values = [one["auroc"]["value"] for one in repeats["pooled"]]
    assert repeats["spread"]["auroc"] == {
        "mean": pytest.approx(statistics.fmean(values)),
        "deviation": pytest.approx(statistics.stdev(values)),
        "min": min(values),
        "max": max(values),
    }
    assert "Over 2 repeats with other seeds" in both.run.report.read_text()
    assert "Repeats with other seeds" in both.run.report.read_text()


def _tables(run: RunFolder) -> list[Path]:
    return [run.splits, run.predictions, *(run.fold(n).model for n in range(3))]


def test_what_cannot_be_divided_anew_is_not_repeated(
    finished: Summary, rerun: Callable[..., Summary], tmp_path: Path
) -> None:
    with pytest.raises(RecipeError, match="`repeats` divide anew"):
        quick("protocol.repeats=2", "protocol.kind=given")
    with pytest.raises(SplitError, match="is one division; leave one of them out"):
        rerun("protocol.repeats=2", splits=finished.run.splits, out=tmp_path / "none")
    assert not (tmp_path / "none").exists()

"""A run that decides by neighbours, for the tests of what can be done with one."""

from pathlib import Path

import pytest

from toys.quick import quick
from wholecase.execution import Place
from wholecase.experiment import Settings, Summary, run
from wholecase.runs import RunFolder

NEIGHBOURS = (
    *("model.aggregator=mean", "model.head={name: neighbours, size: 8, k: 3}"),
    *("batches={name: classes, cases: 4}", "train.epochs=1", "protocol.folds=2"),
    *("evaluate.pictures=0", "evaluate.bootstrap=100"),
)


@pytest.fixture(scope="session")
def neighbours(
    finished: Summary, cohort_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> RunFolder:
    """A finished run; tests must not change it."""
    out = tmp_path_factory.mktemp("neighbours") / "run"
    store = finished.run.root.parent / "features"
    return run(
        quick(*NEIGHBOURS), cohort_file, Settings(out, store=store, place=Place(workers=0))
    ).run

"""Epochs are timed where they are learnt, and told with the rate."""

import json
from dataclasses import replace
from pathlib import Path

from toys.views import views
from wholecase.core.files import write_json
from wholecase.experiment import Summary
from wholecase.experiment.tempo import tempo_of, tempo_told
from wholecase.recipes import read_recipe
from wholecase.report.provenance import epoch_times
from wholecase.report.read import read_run
from wholecase.runs import RunFolder
from wholecase.training import Tempo, fit


def test_the_loop_counts_what_it_shows_and_how_long_it_takes() -> None:
    sides = [views.batches(views.examples(seed, 12), seed) for seed in (1, 2)]
    shown = sum(len(batch.values) for batch in sides[0].once())
    history = fit(views.model(), tuple(sides), replace(views.schedule, epochs=3), seed=1)
    assert (history.tempo.epochs, history.tempo.instances) == (3, 3 * shown)
    assert 0 < history.tempo.learning < history.tempo.seconds


def test_folds_and_repeats_are_added_and_those_without_times_left_out(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    for folder, seconds in ((run.fold(0), 8.0), (run.repeat(1).fold(0), 4.0)):
        write_json(folder.times, Tempo(6, seconds, 3.0, 600).to_json())
    run.fold(1).root.mkdir()
    told = tempo_of([run, run.repeat(1)])
    assert told["epochs"] == {
        "number": 12,
        "seconds_each": 1.0,
        "instances_each": 100.0,
        "instances_per_second": 200.0,
    }
    mmnet, egfr = read_recipe("breakhis-mmnet"), read_recipe("egfr-clam")
    assert tempo_told(told, mmnet) == "12 of 1 s each, learning from 100 images, 200 images/s"
    assert tempo_told(told, egfr).endswith("200 instances/s")
    assert tempo_told({}, mmnet) == ""


def test_a_run_has_it_in_its_times_summary_and_page(finished: Summary) -> None:
    noted = json.loads(finished.run.times.read_text())["epochs"]
    assert noted["number"] == sum(len(fold.epochs) for fold in read_run(finished.run.root).folds)
    assert finished.epochs.startswith(f"{noted['number']} of ")
    assert epoch_times(read_run(finished.run.root)) in finished.run.report.read_text()

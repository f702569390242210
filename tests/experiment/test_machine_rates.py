"""What this machine does in a second is measured on real work, and reckoned for a slide."""

import json
from pathlib import Path

import pytest

from wholecase.cli import main
from wholecase.core.errors import RecipeError
from wholecase.execution import Place
from wholecase.experiment.machine_rates import SMALL, Rate, bottleneck, machine_rates, rates_json


def test_every_stage_is_measured_and_nothing_is_left_behind(tmp_path: Path) -> None:
    rates = list(machine_rates(Place("cpu", 1), tmp_path, engines=("exact",), seconds=0.0))
    assert [rate.stage for rate in rates] == ["disk", "reading", "encoding", "training"]
    assert all(rate.per_second > 0 for rate in rates)
    assert rates[1].per_second > rates[2].per_second  # no network is faster than a decoder
    assert not list(tmp_path.iterdir())


def test_what_takes_longest_of_a_slide() -> None:
    rates = [
        Rate("disk", "", 100.0, "MiB", 0.01),
        Rate("reading", "", 1000.0, "tiles"),
        Rate("encoding", f"{SMALL}, exact", 2000.0, "tiles"),
        Rate("encoding", "resnet50, exact", 10.0, "tiles"),
        Rate("training", "", 5000.0, "tiles"),
    ]
    assert bottleneck(rates, 5000).stage == "reading"
    assert bottleneck(rates, 5000, "resnet50").how == "resnet50, exact"
    assert [one["seconds"] for one in rates_json(rates, 5000)] == [0.5, 5.0, 2.5, 500.0, 1.0]


def test_an_unknown_network_is_told_before_anything_is_measured(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="resnet51"):
        next(machine_rates(Place("cpu", 1), tmp_path, encoder="resnet51"))


@pytest.mark.slow
def test_the_command_tells_programs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["bench", "--json", "--device", "cpu", "--folder", str(tmp_path)])
    told = json.loads(capsys.readouterr().out)
    assert {one["how"] for one in told["rates"] if one["stage"] == "encoding"} == {
        f"{SMALL}, {engine}" for engine in ("exact", "bf16", "onnx")
    }
    assert told["bottleneck"] in {"disk", "reading", "encoding", "training"}

"""What the page says in words."""

import subprocess
import sys
from dataclasses import replace

import pytest
from PIL import Image

from wholecase.core.files import write_json
from wholecase.report import write_report
from wholecase.report.case_rows import SHOWN, case_rows, ordered
from wholecase.report.flow import losses, mix
from wholecase.report.provenance import command, command_home, provenance
from wholecase.report.read import read_run
from wholecase.report.records import Exclusion, Measured
from wholecase.report.terms import METRIC_NAMES, TERMS
from wholecase.report.verdict import cards, reading, verdict


@pytest.fixture(scope="module")
def run(binary):
    return read_run(binary.root)


def test_importing_the_report_loads_no_arrays_and_no_templates():
    heavy = {"numpy", "jinja2", "PIL", "torch"}
    code = f"import sys, wholecase.report; print({heavy} & set(sys.modules))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "set()"


def test_every_metric_of_the_page_is_explained():
    assert set(METRIC_NAMES.values()) <= set(TERMS)


@pytest.mark.parametrize(
    ("low", "high", "says"),
    [
        (0.4, 0.8, "chance alone could explain"),
        (0.6, 0.8, "lies above 0.5"),
        (0.1, 0.3, "worse than a coin toss"),
    ],
)
def test_the_verdict_is_honest_about_chance(run, low, high, says):
    told = replace(run, pooled={"auroc": Measured((low + high) / 2, low, high)})
    assert says in " ".join(reading(told))
    assert f"{low:.2f}–{high:.2f}" in verdict(told)


def test_a_card_tells_which_way_is_better_and_why_there_is_no_interval(binary):
    run = read_run(binary.root)
    pooled = {
        "brier": Measured(0.2, 0.1, 0.3, 90),
        "matthews": Measured(0.4, None, None, 20, "too few patients"),
        "ece": Measured(0.1, None, None, 20, "nothing tells"),
        "calibration_slope": Measured(1.4, 0.9, 1.9, 90),
    }
    told = {card.name: card for card in cards(replace(run, pooled=pooled))}
    assert told["Brier score"].hint == "lower is better"
    assert told["Matthews correlation"].hint == "no interval: too few patients"
    assert told["Calibration error"].hint == "lower is better; no interval: nothing tells"
    assert told["Calibration slope"].hint == "1 is best"
    # drawn on a scale from 0 to 1, where that is the range
    assert (told["Brier score"].at, told["Calibration slope"].at) == (0.2, None)


def test_the_main_card_comes_first_and_unknown_metrics_last(run):
    pooled = {"kappa": Measured(0.5), **run.pooled}
    shown = cards(replace(run, pooled=pooled))
    assert shown[0].name == "AUROC"
    assert shown[0].is_main
    assert shown[-1].name == "Kappa"


def test_like_reasons_add_up_whatever_the_file(run):
    made = [
        Exclusion(
            f"case{i}", "p", f"slides/case{i}.svs", "open", f"'slides/case{i}.svs' is cut", costs
        )
        for i, costs in enumerate(["image", "image", "case"])
    ]
    (loss,) = losses(replace(run, exclusions=tuple(made)))
    assert (loss.reason, loss.images, loss.cases) == ("The file is cut", 3, 1)


def test_the_mix_adds_up(run):
    table = mix(run)
    assert sum(row[2] for row in table.rows) == sum(table.totals) == table.cases == len(run.cases)
    assert table.patients == len({case.patient for case in run.cases})


def test_unknown_labels_and_probabilities_do_not_break_the_order(run):
    odd = replace(run.predictions[0], label="other", probabilities=(float("nan"), float("nan")))
    mixed = replace(run, predictions=(odd, *run.predictions[1:]))
    assert len(ordered(mixed)) == len(run.predictions)
    assert len(case_rows(mixed)) == min(len(run.predictions), SHOWN)


def test_provenance_tells_what_is_known_and_leaves_out_the_rest(run):
    told = {fact.name: fact.text for fact in provenance(run)}
    assert told["Encoder"] == "resnet50-stage3@2b51, 1,024 numbers per instance"
    assert told["Started"] == "2025-03-04 21:10 UTC"
    assert told["Digest of splits"] == run.facts["splits"]["digest"]
    assert "Seed" not in {f.name for f in provenance(replace(run, facts={}))}


def test_the_command_can_be_pasted(run):
    assert command(run).startswith("wholecase run night-3/recipe.yaml --cohort cohort.csv --out ")
    spaced = replace(run, facts={"cohort": {"path": "my study.csv"}})
    assert "--cohort 'my study.csv'" in command(spaced)
    assert command_home(run).startswith("With the folders of your machine")
    told = {"home": "start", "run": "runs/night", "cohort": "data/c.csv", "splits": True}
    known = replace(run, facts={"repeat": told})
    assert command(known) == (
        "wholecase run runs/night/recipe.yaml --cohort data/c.csv "
        "--splits runs/night/splits.csv --out runs/night-again"
    )
    assert "started" in command_home(known)


def test_the_contact_sheet_shows_slides_without_tissue_first(make_run, wish, tmp_path):
    folder = make_run(tmp_path / "run", wish(cases=8))
    Image.new("RGB", (300, 200), "pink").save(tmp_path / "run" / "a.jpg")
    Image.new("RGB", (300, 200), "red").save(tmp_path / "outside.jpg")
    write_json(
        folder.tissue,
        [
            {"case": "<c1>", "image": "a.svs", "picture": "a.jpg", "instances": 7},
            {"case": "c2", "image": "b.svs", "picture": "../outside.jpg", "instances": 3},
            {"case": "c3", "image": "c.svs", "picture": "gone.jpg", "instances": 0},
        ],
    )
    text = write_report(folder.root).read_text(encoding="utf-8")
    sheet = text[text.index('id="slides"') : text.index('id="folds"')]
    assert sheet.index("c3") < sheet.index("&lt;c1&gt;") < sheet.index("c2")
    assert "No tissue was found on 1 slide" in " ".join(sheet.split())
    assert sheet.count("data:image/jpeg") == 1, "only what lies in the run is taken in"
    assert sheet.count("no picture") == 2


def test_a_run_without_slides_has_no_sheet(binary):
    assert 'id="slides"' not in write_report(binary.root).read_text(encoding="utf-8")

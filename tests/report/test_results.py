"""`results.md`: what metrics.json says, as tables."""

from dataclasses import replace

from wholecase.report.page import page
from wholecase.report.read import read_run
from wholecase.report.records import Baseline, ImagesAlone, Measured, Scale
from wholecase.report.results_table import results_text
from wholecase.report.wording import number


def rows(text: str) -> dict[str, list[str]]:
    lines = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    return {line[0]: line[1:] for line in lines}


def test_every_metric_stands_with_its_interval_and_the_folds(binary) -> None:
    run = read_run(binary.root)
    told = rows(results_text(run))
    one, (mean, deviation) = run.pooled["auroc"], run.spread["auroc"]
    value, ends, sure, folds, patients = told["AUROC"]
    assert value == number(one.value)
    assert ends == f"{number(one.low)}–{number(one.high)}"
    assert folds == f"{number(mean)} ± {number(deviation)}"
    assert patients == str(one.n)
    assert sure == ("" if one.held is None else f"{100 * one.held[0]:.1f} %")
    assert len(told) >= len(run.pooled) + 1
    assert "Images judged alone" not in results_text(run)


def test_how_far_an_interval_can_be_trusted_stands_beside_it(binary) -> None:
    run = read_run(binary.root)
    one = replace(run.pooled["auroc"], held=(0.956, 500, 80))
    run = replace(run, pooled={**run.pooled, "auroc": one})
    assert rows(results_text(run))["AUROC"][2] == "95.6 %"
    assert "held the truth in 95.6 % of 500 drawn cohorts of 80 patients" in page(run)


def test_what_is_beside_the_metrics_has_tables_of_its_own(three) -> None:
    rate, area = Measured(0.8, 0.7, 0.9, 30), {"auroc": Measured(0.7, 0.6, 0.8, 30)}
    run = replace(
        read_run(three.root),
        images={"40": ImagesAlone(rate, Measured(0.75), 412, area)},
        scales={"40": Scale((0.2, 0.4), Measured(0.1, -0.05, 0.25))},
        baselines={
            "logistic_at_40": Baseline(
                area, {"auroc": Measured(0.1, 0.02, 0.2, 30)}, {"auroc": 0.0312, "accuracy": None}
            )
        },
    )
    told = rows(results_text(run))
    assert told["images alone, 40"] == ["412", "0.80 (0.70–0.90)", "0.70 (0.60–0.80)", "–", "0.75"]
    cases, _, auroc, *_ = told["cases, by all images together"]
    assert (cases, auroc) == (
        str(len(run.predictions)),
        told["AUROC"][0] + f" ({told['AUROC'][1]})",
    )
    assert "How are single images decided?" in page(run)
    assert told["40"] == ["0.30 (0.20–0.40)", "0.10 (−0.05 to 0.25)"]
    assert told["Logistic regression at 40 alone"] == [
        "0.70",
        "+0.10 (0.02–0.20)",
        "0.031",
        "not told",
    ]


def test_repeats_of_the_importance_have_a_column(three) -> None:
    scales = {"40": Scale((0.2, 0.4), Measured(0.1), (0.3, 0.1))}
    run = replace(read_run(three.root), scales=scales)
    told = rows(results_text(run))
    assert told["scale"][1] == "mean of 2 repeats (range)"
    assert told["40"] == ["0.30 (0.20–0.40)", "0.20 (0.10–0.30)", "0.10"]
    assert "Mean of 2 repeats (range)" in page(run)


def test_a_name_cannot_break_a_table(binary) -> None:
    run = read_run(binary.root)
    odd = replace(run, pooled={"a|b": Measured(0.5)}, spread={})
    assert rows(results_text(odd))["A/b"][0] == "0.50"

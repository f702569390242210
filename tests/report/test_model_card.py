"""A model card tells what the run knows, and leaves the rest to its author."""

from pathlib import Path

from wholecase.cli import main
from wholecase.core.version import VERSION
from wholecase.report.checklists import ANSWERS, BLANK
from wholecase.report.model_card import LIMITS, PARTS, card
from wholecase.report.read import read_run
from wholecase.report.wording import interval, number


def test_every_figure_stands_with_its_interval_and_the_author_has_blanks(finished):
    run = read_run(finished.run.root)
    text = card(run)
    for one in run.pooled.values():
        assert f"| {number(one.value)} | {interval(one) or 'none'}" in text
    lines = dict(line[4:].split("**: ", 1) for line in text.splitlines() if line.startswith("- **"))
    asked = [pair for _, pairs in PARTS for pair in pairs] + list(LIMITS)
    assert list(lines) == [name for name, _ in asked]
    assert all(lines[name] == ((ANSWERS[key](run) if key else "") or BLANK) for name, key in asked)
    assert sum(not key for _, key in asked) == 6
    wrong = [one.case for one in run.predictions if one.is_wrong]
    assert lines["Cases it decides wrongly"].startswith(f"{len(wrong)} case")
    assert all(case in lines["Cases it decides wrongly"] for case in wrong[:10])
    assert f"{len({one.patient for one in run.predictions})} patients" in lines["Patients"]


def test_the_version_to_cite_is_this_one():
    cited = Path(__file__).resolve().parents[2] / "CITATION.cff"
    assert f"version: {VERSION}\n" in cited.read_text(encoding="utf-8")


def test_the_command_writes_it_beside_the_run(finished, capsys):
    try:
        main(["card", str(finished.run.root)])
    except SystemExit as end:
        assert end.code == 0  # noqa: PT017 (the command line ends so)
    path = finished.run.root / "model-card.md"
    assert capsys.readouterr().out.strip() == path.resolve().as_uri()
    text = path.read_text(encoding="utf-8")
    assert text.startswith("# Model card · ")
    for row in (line for line in text.splitlines() if line.startswith("|")):
        assert row.endswith("|")

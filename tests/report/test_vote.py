"""A vote of runs as a run folder: who is admitted where, what is written, shown and refused."""

import json
import re
import shutil

import numpy as np
import pytest

from wholecase.cli import main
from wholecase.core.errors import RunError, SplitError
from wholecase.core.files import write_json
from wholecase.evaluation import Rule
from wholecase.experiment import Terms, ballot, standing_lines, vote
from wholecase.recipes import read_recipe, recipe_text
from wholecase.report import compare, share
from wholecase.runs import RunFolder, read_rows, run_digest, voting_runs, write_rows

SHARES = ("probability_wild-type", "probability_mutated")
EASY = Rule(accuracy=0.5, disagreement=0.6)


def moved(rows, rng):
    """The same probabilities with noise of another model."""
    for row in rows:
        p = float(row["probability_mutated"])
        p = 1 / (1 + np.exp(-(np.log(p / (1 - p)) + rng.normal(0, 1.5))))
        row["probability_wild-type"], row["probability_mutated"] = f"{1 - p:.8f}", f"{p:.8f}"


@pytest.fixture(scope="module")
def members(make_run, wish, tmp_path_factory):
    """Three runs on the same folds, with independent noise on what they say."""
    home = tmp_path_factory.mktemp("members")
    first = make_run(home / "a", wish(cases=80, pictures=False))
    recipe = read_recipe("egfr-clam", ["evaluate.bootstrap=200"])
    first.recipe.write_text(recipe_text(recipe), encoding="utf-8")
    for number, name in enumerate("bc"):
        shutil.copytree(first.root, home / name)
        other, rng = RunFolder(home / name), np.random.default_rng(number)
        for fold in other.fold_numbers:
            rows = read_rows(other.fold(fold).inner)
            moved(rows, rng)
            write_rows(other.fold(fold).inner, list(rows[0]), rows)
        rows = read_rows(other.predictions)
        moved(rows, rng)
        for row in rows:
            threshold = json.loads(other.fold(int(row["fold"])).choices.read_text())["threshold"]
            called = float(row["probability_mutated"]) > threshold
            row["decision"] = "mutated" if called else "wild-type"
        write_rows(other.predictions, list(rows[0]), rows)
    return [home / name for name in "abc"]


@pytest.fixture(scope="module")
def voted(members, tmp_path_factory):
    out = tmp_path_factory.mktemp("votes") / "all"
    return vote(ballot(members, Terms(admit="all", weights="validation")), out)


def test_the_vote_is_the_weighted_mean_of_its_members_fold_by_fold(voted, members):
    weights = {
        number: {one["name"]: one["weight"] for one in json.loads(text)["members"]}
        for number in voted.fold_numbers
        for text in [voted.fold(number).choices.read_text()]
    }
    assert all(sum(own.values()) == pytest.approx(1) for own in weights.values())
    assert len({tuple(own.values()) for own in weights.values()}) > 1
    said = {
        root.name: {
            row["case_id"]: float(row["probability_mutated"])
            for row in read_rows(RunFolder(root).predictions)
        }
        for root in members
    }
    for row in read_rows(voted.predictions):
        own, case = weights[int(row["fold"])], row["case_id"]
        mean = sum(own[name] * said[name][case] for name in own)
        assert float(row["probability_mutated"]) == pytest.approx(mean, abs=1e-7)
        threshold = json.loads(voted.fold(int(row["fold"])).choices.read_text())["threshold"]
        assert (row["decision"] == "mutated") == (mean > threshold)


def test_test_patients_have_no_say_in_who_votes_nor_in_the_threshold(members, tmp_path):
    asked = ballot(members, Terms(rule=EASY))
    turned = []
    for root in members:
        shutil.copytree(root, tmp_path / root.name)
        rows = read_rows(RunFolder(root).predictions)
        for row in rows:
            row[SHARES[0]], row[SHARES[1]] = row[SHARES[1]], row[SHARES[0]]
            row["label"] = "mutated" if row["label"] == "wild-type" else "wild-type"
        write_rows(RunFolder(tmp_path / root.name).predictions, list(rows[0]), rows)
        turned.append(tmp_path / root.name)
    again = ballot(turned, Terms(rule=EASY))
    for one, other in zip(asked.folds, again.folds, strict=True):
        assert one.standings == other.standings
        assert (one.weights, one.choices) == (other.weights, other.choices)


def test_an_inner_answer_about_a_test_patient_is_refused(members, tmp_path):
    for root in members[:2]:
        shutil.copytree(root, tmp_path / root.name)
        folder = RunFolder(tmp_path / root.name)
        tested = next(row for row in read_rows(folder.predictions) if row["fold"] == "0")
        rows = read_rows(folder.fold(0).inner)
        rows[0] |= {"case_id": tested["case_id"], "patient_id": tested["patient_id"]}
        write_rows(folder.fold(0).inner, list(rows[0]), rows)
    with pytest.raises(SplitError, match="on two sides"):
        ballot([tmp_path / root.name for root in members[:2]])


def test_where_nobody_is_admitted_the_best_answers_alone_and_a_void_vote_writes_nothing(
    members, tmp_path
):
    strict = ballot(members)
    assert strict.is_void
    assert all("below" in line for line in standing_lines(strict.folds) if " out " in line)
    with pytest.raises(RunError, match="admits no two of these runs in any fold"):
        vote(strict, tmp_path / "none")
    assert not (tmp_path / "none").exists()
    some = ballot(members, Terms(rule=Rule(accuracy=0.8, disagreement=0.6)))
    alone = [fold for fold in some.folds if fold.is_alone]
    assert 0 < len(alone) < len(some.folds)
    for fold in alone:
        (name,) = fold.weights
        assert fold.standings[name].accuracy == max(s.accuracy for s in fold.standings.values())
    folder = vote(some, tmp_path / "some")
    notes = json.loads(folder.metrics.read_text())["notes"]
    assert f"fold {alone[0].number}" in notes[0] or f"folds {alone[0].number}" in notes[0]
    own = {
        row["case_id"]: row for row in read_rows(RunFolder(members[0].parent / name).predictions)
    }
    for row in read_rows(folder.predictions):
        if int(row["fold"]) == alone[-1].number:
            assert row["decision"] == own[row["case_id"]]["decision"]


def test_the_report_shows_members_gain_and_rule(voted):
    text = voted.report.read_text()
    assert "All members vote, whether or not the rule" in text
    assert "Who votes, and what the vote is worth" in text
    assert re.search(r"The vote is right in [\d.]+ of 100 cases (more|fewer) than its best", text)
    assert "wholecase vote ../../members0/a" in text.replace("&#34;", "")
    told = json.loads(voted.metrics.read_text())["vote"]
    (pair,) = compare([voted.root, voted.root.parent.parent / "members0" / told["best"]]).pairs
    best = next(one for one in told["members"] if one["name"] == told["best"])
    assert best["gain"]["accuracy"]["value"] == pytest.approx(pair.accuracy.difference.value)
    assert best["gain"]["accuracy"]["low"] == pytest.approx(pair.accuracy.difference.low)
    assert best["p"] == pytest.approx(pair.accuracy.p)


def test_a_shared_report_names_no_member(voted, tmp_path):
    page = share(voted.root, tmp_path / "out").read_text()
    assert "member 1" in page
    told = json.loads((tmp_path / "out" / "metrics.json").read_text())["vote"]
    assert {one["name"] for one in told["members"]} == {"member 1", "member 2", "member 3"}
    assert "members0" not in page


def test_a_vote_may_vote_again_and_the_same_vote_is_written_anew(voted, members, tmp_path):
    twice = vote(ballot([voted.root, members[0]], Terms(admit="all")), tmp_path / "twice")
    assert [run.name for run in voting_runs(twice)] == ["all", "a"]
    before = twice.predictions.read_bytes()
    vote(ballot([voted.root, members[0]], Terms(admit="all")), twice.root)
    assert "all (vote, " in twice.report.read_text()
    assert twice.predictions.read_bytes() == before
    with pytest.raises(RunError, match="holds another run"):
        vote(ballot([members[0], members[1]], Terms(admit="all")), twice.root)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes.txt").write_text("mine")
    with pytest.raises(RunError, match="no vote; choose another"):
        vote(ballot([members[0], members[1]], Terms(admit="all")), tmp_path / "full")


def test_other_sides_and_missing_inner_answers_are_refused_in_a_sentence(members, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(members[1], other)
    folder = RunFolder(other)
    rows = read_rows(folder.splits)
    valid = next(row for row in rows if row["side"] == "valid")
    valid["side"] = "train"
    write_rows(folder.splits, list(rows[0]), rows)
    with pytest.raises(RunError, match="on other sides of fold"):
        ballot([members[0], other])
    twin = tmp_path / "twin"
    shutil.copytree(members[1], twin)
    rows = read_rows(RunFolder(twin).fold(0).inner)
    rows[0]["label"] = "mutated" if rows[0]["label"] == "wild-type" else "wild-type"
    write_rows(RunFolder(twin).fold(0).inner, list(rows[0]), rows)
    with pytest.raises(RunError, match="know inner case"):
        ballot([members[0], twin])
    third = tmp_path / "third"
    shutil.copytree(members[1], third)
    RunFolder(third).fold(0).inner.unlink()
    with pytest.raises(RunError, match="admitted on inner patients alone"):
        ballot([members[0], third])


def test_a_run_is_known_by_what_it_answers_by(members, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(members[0], copy)
    folder = RunFolder(copy)
    assert run_digest(folder) == run_digest(RunFolder(members[0]))
    write_json(folder.times, {})
    assert run_digest(folder) == run_digest(RunFolder(members[0]))
    chosen = json.loads(folder.fold(1).choices.read_text())
    write_json(folder.fold(1).choices, {**chosen, "threshold": 0.123})
    assert run_digest(folder) != run_digest(RunFolder(members[0]))


def test_the_command_tells_the_table_and_ends_with_one_where_nobody_is_admitted(
    members, tmp_path, capsys
):
    with pytest.raises(SystemExit) as ended:
        main(["vote", *map(str, members), "--out", str(tmp_path / "v")])
    told = capsys.readouterr()
    assert ended.value.code == 1
    assert "accuracy" in told.out
    assert "is below 0.9" in told.out
    assert "--admit all" in told.err
    assert not (tmp_path / "v").exists()
    with pytest.raises(SystemExit) as ended:
        main(["vote", *map(str, members), "--out", str(tmp_path / "v"), "--accuracy", "1.2"])
    assert ended.value.code == 1
    assert "between 0 and 1" in capsys.readouterr().err


def test_inner_folds_are_asked_where_all_members_have_them(members, tmp_path):
    roots = []
    for root in members[:2]:
        shutil.copytree(root, tmp_path / root.name)
        folder = RunFolder(tmp_path / root.name)
        said = {row["case_id"]: row for row in read_rows(folder.predictions)}
        for number in folder.fold_numbers:
            own = [r for r in read_rows(folder.splits) if r["fold"] == str(number)]
            rows = [
                {
                    **{
                        k: said[r["case_id"]][k]
                        for k in ("case_id", "patient_id", "label", *SHARES)
                    },
                    "part": sum(map(ord, r["patient_id"])) % 3,
                }
                for r in own
                if r["side"] != "test"
            ]
            write_rows(folder.fold(number).inner, list(rows[0]), rows)
        roots.append(folder.root)
    both = ballot(roots, Terms(admit="all"))
    tested = {
        row["case_id"]: int(row["fold"]) for row in read_rows(RunFolder(roots[0]).predictions)
    }
    for fold in both.folds:
        assert set(fold.inner.cases) == {c for c, own in tested.items() if own != fold.number}
        assert len(fold.inner.parts) == 3
    mixed = ballot([roots[0], members[2]], Terms(admit="all"))
    for fold in mixed.folds:
        alone = {r["case_id"] for r in read_rows(RunFolder(members[2]).fold(fold.number).inner)}
        assert set(fold.inner.cases) == alone
    again = vote(both, tmp_path / "vote")
    assert "part" in read_rows(again.fold(0).inner)[0]
    assert not ballot([again.root, roots[0]], Terms(admit="all")).is_void


def test_of_three_classes_the_most_probable_is_told(three, tmp_path):
    for name in ("x", "y"):
        shutil.copytree(three.root, tmp_path / name)
        recipe = read_recipe("egfr-clam", ["evaluate.bootstrap=100"])
        (tmp_path / name / "recipe.yaml").write_text(recipe_text(recipe), encoding="utf-8")
    folder = vote(ballot([tmp_path / "x", tmp_path / "y"], Terms(admit="all")), tmp_path / "v")
    assert json.loads(folder.fold(0).choices.read_text())["threshold"] is None
    for row in read_rows(folder.predictions):
        shares = {k: float(v) for k, v in row.items() if k.startswith("probability_")}
        assert max(shares, key=lambda name: shares[name]) == f"probability_{row['decision']}"
    assert "The vote is right as often as its best member" in folder.report.read_text()

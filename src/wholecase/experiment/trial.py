"""What another engine or file of the encoder does to the answers of a finished run."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from wholecase.answer import FoldModel, TrainedRun, has_bag, judge, load_run, scores_of
from wholecase.assemble import bags_of, labels_of
from wholecase.cohort import Case, read_cohort
from wholecase.core.errors import RunError
from wholecase.core.files import read_json, write_json
from wholecase.core.seeds import generator
from wholecase.evaluation import Interval, Scores, paired_difference
from wholecase.execution import Place
from wholecase.extract import Extraction
from wholecase.recipes import read_recipe
from wholecase.runs import RunFolder, manifest_of, read_rows


@dataclass(frozen=True)
class Trial:
    """The run's own fold models on its own test cases, their features computed otherwise."""

    identity: str
    """Of the other encoder."""
    cases: int
    patients: int
    moved: float
    """How far the probability of a class moved: the median case's."""
    most: float
    """The same of the worst."""
    decisions: int
    """Cases that are decided otherwise."""
    auroc: Mapping[str, Any]
    """Of the other features less that of the run's own: value, low and high."""

    @property
    def told(self) -> str:
        """In a line."""
        gap = Interval.from_json(dict(self.auroc))
        ends = "" if gap.low is None else f" ({gap.low:+.3f} to {gap.high:+.3f})"
        auroc = "" if gap.value is None else f", AUROC changed by {gap.value:+.3f}{ends}"
        return (
            f"on {self.cases} test cases of {self.patients} patients probabilities moved by "
            f"{self.moved:.2g} (median; at most {self.most:.2g}), {self.decisions} decisions "
            f"changed{auroc}"
        )


def try_features(
    root: Path, overrides: Sequence[str], cases: int, place: Place, store: Path | None = None
) -> Trial:
    """Judge test cases of a run by features that are computed otherwise; it is kept in the run.

    Each case is judged by its own fold's model, which never saw its patient. Nothing is learnt,
    and the run's figures stay as they are.

    Args:
        root: a finished run on stored features.
        overrides: of its recipe's encoder, such as `encoder.engine=bf16`.
        cases: how many are drawn, as many of each class as there are.
        place: where images are encoded.
        store: where features are kept; None is `features` beside the run.

    Raises:
        RunError: the run does not rest on an encoder, or the other one is the run's own or gives
            another width.
        RecipeError, WeightsError: the other encoder cannot be.
    """
    trained = load_run(root, place.device)
    other = read_recipe(str(trained.folder.recipe), overrides)
    if other.encoder is None:
        raise RunError(f"{root} does not rest on the features of an encoder; nothing can be tried")
    cohort = read_cohort(manifest_of(trained.folder), labels_of(trained.recipe))
    judges = {row["case_id"]: int(row["fold"]) for row in read_rows(trained.folder.predictions)}
    drawn = _drawn([c for c in cohort.cases if c.id in judges], cases, trained.recipe.protocol.seed)
    asked = replace(cohort, cases=tuple(drawn), ignored=())
    store = store or root.parent / "features"
    own = bags_of(trained.recipe, asked, store, place)
    tried = bags_of(other, asked, store, place)
    _refuse_unlike(root, trained, own, tried)
    known = [case for case in drawn if has_bag(case, own) and has_bag(case, tried)]
    found = _trial(trained, known, judges, own, tried)
    _keep(trained.folder, found)
    return found


def trials_of(folder: RunFolder) -> dict[str, Trial]:
    """By the identity of the other encoder."""
    if not folder.trials.is_file():
        return {}
    return {one["identity"]: Trial(**one) for one in read_json(folder.trials)["trials"]}


def _keep(folder: RunFolder, found: Trial) -> None:
    known = {**trials_of(folder), found.identity: found}
    write_json(folder.trials, {"trials": [asdict(one) for one in known.values()]})


def _drawn(cases: Sequence[Case], count: int, seed: int) -> list[Case]:
    """Classes in turn, within them by chance."""
    order = generator(seed, "trial").permutation(len(cases)).tolist()
    labels = [cases[index].label for index in order]
    turn = [labels[:place].count(label) for place, label in enumerate(labels)]
    return [cases[order[place]] for place in np.argsort(turn, kind="stable")[:count]]


def _trial(
    trained: TrainedRun,
    cases: Sequence[Case],
    judges: Mapping[str, int],
    own: Extraction,
    tried: Extraction,
) -> Trial:
    both = [_scores(trained.members, cases, judges, extraction) for extraction in (own, tried)]
    before, after = both
    moved = np.abs(after.probabilities - before.probabilities).max(1)
    gap = paired_difference(after, before, "auroc", seed=trained.recipe.protocol.seed)
    return Trial(
        identity=tried.identity,
        cases=len(cases),
        patients=len({case.patient for case in cases}),
        moved=float(np.median(moved)),
        most=float(moved.max()),
        decisions=int((after.decision != before.decision).sum()),
        auroc=gap.to_json(),
    )


def _scores(
    members: Sequence[FoldModel],
    cases: Sequence[Case],
    judges: Mapping[str, int],
    extraction: Extraction,
) -> Scores:
    """By each case's own fold, in the order of the cases."""
    said = {}
    for member in members:
        mine = [case for case in cases if judges[case.id] == member.fold]
        for (one,) in judge([member], mine, extraction, evidence="none") if mine else ():
            said[one.case.id] = one
    return scores_of([said[case.id] for case in cases])


def _refuse_unlike(root: Path, trained: TrainedRun, own: Extraction, tried: Extraction) -> None:
    identity = trained.encoder["identity"]
    if own.identity != identity:
        raise RunError(
            f"{root} was trained on features of {identity}, its recipe now gives those of "
            f"{own.identity}; put the weights of the run back"
        )
    if tried.identity == identity:
        raise RunError(
            f"{root} was trained on features of {identity}, and these are the same; name another, "
            "such as encoder.engine=bf16"
        )
    if tried.width != own.width:
        raise RunError(
            f"{root} takes {own.width} numbers per instance, {tried.identity} gives {tried.width}; "
            "name another engine or file of the same network"
        )

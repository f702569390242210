"""Cohort and recipe -> run, fold by fold."""

from wholecase.experiment.admitting import Terms, standing_lines
from wholecase.experiment.asking import Asked, Question, ask, question_of
from wholecase.experiment.explained import (
    draw_answer,
    qupath_images,
    recipe_of,
    stored_answer,
    stored_answers,
)
from wholecase.experiment.external import external_metrics
from wholecase.experiment.facts import versions
from wholecase.experiment.gallery import add_to_gallery, addition_lines, undo_gallery
from wholecase.experiment.imported import import_clam
from wholecase.experiment.prevalent import at_prevalence, share_asked
from wholecase.experiment.reproducing import Reproduction, reproduce, reproduction_lines
from wholecase.experiment.results import write_predictions
from wholecase.experiment.run import Settings, run
from wholecase.experiment.submission import refuse_unnamed, write_submission
from wholecase.experiment.summary import Summary
from wholecase.experiment.told_neighbours import nearest_lines, stored_nearest_lines
from wholecase.experiment.trial import Trial, try_features
from wholecase.experiment.vote import Ballot, ballot, vote

__all__ = [
    "Asked",
    "Ballot",
    "Question",
    "Reproduction",
    "Settings",
    "Summary",
    "Terms",
    "Trial",
    "add_to_gallery",
    "addition_lines",
    "ask",
    "at_prevalence",
    "ballot",
    "draw_answer",
    "external_metrics",
    "import_clam",
    "nearest_lines",
    "question_of",
    "qupath_images",
    "recipe_of",
    "refuse_unnamed",
    "reproduce",
    "reproduction_lines",
    "run",
    "share_asked",
    "standing_lines",
    "stored_answer",
    "stored_answers",
    "stored_nearest_lines",
    "try_features",
    "undo_gallery",
    "versions",
    "vote",
    "write_predictions",
    "write_submission",
]

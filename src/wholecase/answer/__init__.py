"""A run's models and new cases -> predictions."""

from wholecase.answer.bags import CaseBag, CaseExamples, case_bag, examples_of, has_bag
from wholecase.answer.faithful import SHARES, Faithfulness, faithfulness
from wholecase.answer.judging import Judged, judge_cases
from wholecase.answer.pictures import (
    Sitting,
    draw,
    heat,
    localise,
    map_pictures,
    read_tiles,
    save_picture,
)
from wholecase.answer.trained import CaseAnswer, TrainedRun, load_run, read_choices

__all__ = [
    "SHARES",
    "CaseAnswer",
    "CaseBag",
    "CaseExamples",
    "Faithfulness",
    "Judged",
    "Sitting",
    "TrainedRun",
    "case_bag",
    "draw",
    "examples_of",
    "faithfulness",
    "has_bag",
    "heat",
    "judge_cases",
    "load_run",
    "localise",
    "map_pictures",
    "read_choices",
    "read_tiles",
    "save_picture",
]

"""Batches, schedule, the one loop, and what is chosen on inner patients."""

from wholecase.training.adaptive import Adaptive
from wholecase.training.augment import AUGMENTS, Augment
from wholecase.training.augmentation import Augmentation
from wholecase.training.batches import BATCHES, Batches, Classes, Patients, Shuffled
from wholecase.training.bounded import bounded
from wholecase.training.choose import CALIBRATIONS, Choices, Inner, choose, choose_head
from wholecase.training.examples import Example, Examples, NoExamples, pack
from wholecase.training.fit import History, fit
from wholecase.training.mirrored import VIEWS, Mirrored
from wholecase.training.optimizer import optimizer_for, thaw
from wholecase.training.rates import SCHEDULES, Course, Followed, factors_over
from wholecase.training.resume import Epoch, Keep
from wholecase.training.reuse import Reuse, Shelf
from wholecase.training.schedule import Schedule, Stage
from wholecase.training.sets import Sets, past
from wholecase.training.tempo import Tempo, in_all
from wholecase.training.together import ACTIVE, DISTANCE, are_together
from wholecase.training.views import Drawn, PerScale, Views, judged_views, mirrored
from wholecase.training.watch import metric_told

__all__ = [
    "ACTIVE",
    "AUGMENTS",
    "BATCHES",
    "CALIBRATIONS",
    "DISTANCE",
    "SCHEDULES",
    "VIEWS",
    "Adaptive",
    "Augment",
    "Augmentation",
    "Batches",
    "Choices",
    "Classes",
    "Course",
    "Drawn",
    "Epoch",
    "Example",
    "Examples",
    "Followed",
    "History",
    "Inner",
    "Keep",
    "Mirrored",
    "NoExamples",
    "Patients",
    "PerScale",
    "Reuse",
    "Schedule",
    "Sets",
    "Shelf",
    "Shuffled",
    "Stage",
    "Tempo",
    "Views",
    "are_together",
    "bounded",
    "choose",
    "choose_head",
    "factors_over",
    "fit",
    "in_all",
    "judged_views",
    "metric_told",
    "mirrored",
    "optimizer_for",
    "pack",
    "past",
    "thaw",
]

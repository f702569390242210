"""Batches, schedule, the one loop, and what is chosen on inner patients."""

from wholecase.training.augment import AUGMENTS, Augment, Augmentation
from wholecase.training.batches import BATCHES, Batches, Shuffled
from wholecase.training.choose import CALIBRATIONS, Choices, Inner, choose
from wholecase.training.examples import Example, Examples, pack
from wholecase.training.fit import History, fit
from wholecase.training.optimizer import optimizer_for
from wholecase.training.rates import SCHEDULES, Course
from wholecase.training.resume import Epoch, Keep
from wholecase.training.schedule import Schedule, Stage

__all__ = [
    "AUGMENTS",
    "BATCHES",
    "CALIBRATIONS",
    "SCHEDULES",
    "Augment",
    "Augmentation",
    "Batches",
    "Choices",
    "Course",
    "Epoch",
    "Example",
    "Examples",
    "History",
    "Inner",
    "Keep",
    "Schedule",
    "Shuffled",
    "Stage",
    "choose",
    "fit",
    "optimizer_for",
    "pack",
]

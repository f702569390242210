"""Batches, schedule, the one loop, and what is chosen on inner patients."""

from wholecase.training.augment import AUGMENTS, Augment, Augmentation
from wholecase.training.batches import BATCHES, Batches, Shuffled
from wholecase.training.choose import CALIBRATIONS, Choices, Inner, choose, choose_head
from wholecase.training.examples import Example, Examples, pack
from wholecase.training.fit import Epoch, History, Keep, fit
from wholecase.training.schedule import Schedule, Stage, optimizer_for

__all__ = [
    "AUGMENTS",
    "BATCHES",
    "CALIBRATIONS",
    "Augment",
    "Augmentation",
    "Batches",
    "Choices",
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
    "choose_head",
    "fit",
    "optimizer_for",
    "pack",
]

"""Recipe -> the parts that it names."""

from wholecase.assemble.bags import bags_of, check_input, check_pixels
from wholecase.assemble.case_models import model_of
from wholecase.assemble.describe import describe
from wholecase.assemble.full import full_text
from wholecase.assemble.gate import check_recipe
from wholecase.assemble.moved import moved_weights
from wholecase.assemble.named import learnt_origins, told_origins, with_origins
from wholecase.assemble.parts import (
    AUTO,
    batches_of,
    cut_of,
    encoder_of,
    labels_of,
    of_size,
    plan_of,
    repeats_of,
    schedule_of,
    shades_of,
    split_of,
    trainings_of,
    views_of,
)
from wholecase.assemble.places import DEVICES, available_devices, place_of

__all__ = [
    "AUTO",
    "DEVICES",
    "available_devices",
    "bags_of",
    "batches_of",
    "check_input",
    "check_pixels",
    "check_recipe",
    "cut_of",
    "describe",
    "encoder_of",
    "full_text",
    "labels_of",
    "learnt_origins",
    "model_of",
    "moved_weights",
    "of_size",
    "place_of",
    "plan_of",
    "repeats_of",
    "schedule_of",
    "shades_of",
    "split_of",
    "told_origins",
    "trainings_of",
    "views_of",
    "with_origins",
]

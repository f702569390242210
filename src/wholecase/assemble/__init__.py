"""Recipe -> the parts that it names."""

from wholecase.assemble.bags import bags_of, check_input
from wholecase.assemble.describe import describe
from wholecase.assemble.device import DEVICES, available_devices, choose_device
from wholecase.assemble.gate import check_recipe
from wholecase.assemble.parts import (
    batches_of,
    cut_of,
    encoder_of,
    labels_of,
    model_of,
    plan_of,
    schedule_of,
    split_of,
)

__all__ = [
    "DEVICES",
    "available_devices",
    "bags_of",
    "batches_of",
    "check_input",
    "check_recipe",
    "choose_device",
    "cut_of",
    "describe",
    "encoder_of",
    "labels_of",
    "model_of",
    "plan_of",
    "schedule_of",
    "split_of",
]

"""Recipe -> the parts that it names.

What needs a network is loaded when it is first asked for: a command that trains nothing has none.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from wholecase.assemble.data import (
    cut_of,
    divisible,
    encoder_of,
    labels_of,
    plan_of,
    repeats_of,
    shades_of,
    split_of,
    trainings_of,
)
from wholecase.assemble.places import DEVICES, available_devices, place_of

if TYPE_CHECKING:
    from wholecase.assemble.bags import bags_of, check_input, check_pixels
    from wholecase.assemble.case_models import model_of
    from wholecase.assemble.full import full_text
    from wholecase.assemble.gate import check_recipe
    from wholecase.assemble.moved import moved_weights
    from wholecase.assemble.named import learnt_origins, told_origins, with_origins
    from wholecase.assemble.parts import AUTO, batches_of, of_size, schedule_of, views_of
    from wholecase.assemble.told import describe

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
    "divisible",
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

_LATER = {
    "bags": ("bags_of", "check_input", "check_pixels"),
    "case_models": ("model_of",),
    "full": ("full_text",),
    "gate": ("check_recipe",),
    "moved": ("moved_weights",),
    "named": ("learnt_origins", "told_origins", "with_origins"),
    "parts": ("AUTO", "batches_of", "of_size", "schedule_of", "views_of"),
    "told": ("describe",),
}
"""Module -> the public names that are loaded with it."""


def __getattr__(name: str) -> Any:  # noqa: ANN401 (whatever is asked for)
    for module, names in _LATER.items():
        if name in names:
            return getattr(import_module(f"wholecase.assemble.{module}"), name)
    raise AttributeError(f"module 'wholecase.assemble' has no attribute {name!r}")

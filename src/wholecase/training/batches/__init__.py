"""Which cases meet in a batch, while learning and while judging."""

from wholecase.core.table import Table
from wholecase.training.batches.classes import Classes
from wholecase.training.batches.patients import Patients
from wholecase.training.batches.rule import Batches
from wholecase.training.batches.shuffled import Shuffled

BATCHES: Table[type[Batches]] = Table(
    "batches",
    {
        "classes": Classes,
        "patients": Patients,
        "shuffled": Shuffled,
    },
    Batches,
    ("examples", "seed", "views"),
)

__all__ = ["BATCHES", "Batches", "Classes", "Patients", "Shuffled"]

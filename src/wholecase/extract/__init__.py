"""From a cohort to a feature store: cut, encode, store, image by image."""

from wholecase.extract.decode import decode
from wholecase.extract.extraction import Extraction
from wholecase.extract.plan import KILLED, STAGES, Failure, Plan
from wholecase.extract.quantising import Quantised, quantise
from wholecase.extract.summary import table_lines
from wholecase.extract.verb import extract

__all__ = [
    "KILLED",
    "STAGES",
    "Extraction",
    "Failure",
    "Plan",
    "Quantised",
    "decode",
    "extract",
    "quantise",
    "table_lines",
]

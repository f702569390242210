"""Who, with which label, on which side."""

from wholecase.cohort.cases import KINDS, Case, Cohort, Image

__all__ = ["KINDS", "Case", "Cohort", "Image"]

"""Cohort and recipe -> run, fold by fold."""

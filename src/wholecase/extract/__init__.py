"""Cohort -> feature store."""

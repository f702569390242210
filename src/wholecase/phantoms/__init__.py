"""Drawn cohorts for demonstration and tests."""

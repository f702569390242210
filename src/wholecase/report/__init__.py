"""Run folder -> one page."""

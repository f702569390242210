"""Batches, schedule, the one loop, and what is chosen on inner patients."""

"""Decide, and know the loss that teaches it."""

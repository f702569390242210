"""Trainable networks at the front of a model."""

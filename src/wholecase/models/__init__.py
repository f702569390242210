"""Packed bags in, one answer per case out."""

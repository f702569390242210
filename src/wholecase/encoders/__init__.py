"""Frozen networks: pixels -> vectors."""

"""Doing one thing to many items: spawned processes, one thread each."""

from wholecase.execution.threads import one_thread
from wholecase.execution.workers import Outcome, each

__all__ = ["Outcome", "each", "one_thread"]
